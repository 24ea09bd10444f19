package dev.tandem.api;

import dev.tandem.core.ErrorCategory;
import dev.tandem.core.FinishReason;
import dev.tandem.core.TokenLogprobs;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.function.Function;

/// An in-memory service: its own thread gives each sequence one token a round, as a batch does. What a sequence says is a
/// function of its request; behind it come the end-of-sequence token, or the sequence's limit before that.
final class ScriptedService implements GenerationService, AutoCloseable {
    static final int CACHED_TOKENS = 3;

    /// A sequence in work.
    final class Running implements Handle {
        final GenerationRequest request;
        final CountDownLatch stopped = new CountDownLatch(1);
        final CountDownLatch cancelled = new CountDownLatch(1);
        final CountDownLatch ended = new CountDownLatch(1);
        private final TokenSink sink;
        private final int[] script;
        private int position;

        Running(GenerationRequest request, TokenSink sink) {
            this.request = request;
            this.sink = sink;
            this.script = scripts.apply(request);
        }

        @Override
        public void stop() {
            stopped.countDown();
        }

        @Override
        public void cancel() {
            cancelled.countDown();
        }

        int generated() {
            return position;
        }

        /// @return false when the sequence has ended
        private boolean step() {
            if (stopped.getCount() == 0 || cancelled.getCount() == 0) {
                return false;
            }
            if (failAt >= 0 && position == failAt) {
                sink.onFailed(failCategory, failCode, "the service says no", retryAfterMillis);
                return false;
            }
            if (paced) {
                pace.acquireUninterruptibly();
            }
            int token =
                    endless || position < script.length
                            ? script[position % script.length]
                            : ByteTokenizer.END;
            if (position++ == 0) {
                sink.onStarted(CACHED_TOKENS);
            }
            sink.onToken(token, logprobs(token));
            if (request.stopTokenIds().contains(token)) {
                sink.onFinished(FinishReason.STOP);
                return false;
            }
            if (position == request.maxTokens() && !overrun) {
                sink.onFinished(FinishReason.LENGTH);
                return false;
            }
            return true;
        }

        private @Nullable TokenLogprobs logprobs(int token) {
            if (!request.sampling().logprobs()) {
                return null;
            }
            int alternatives = request.sampling().topLogprobs();
            int[] tokens = new int[alternatives];
            float[] logprobs = new float[alternatives];
            for (int i = 0; i < alternatives; i++) {
                tokens[i] = (token + i) % 256;
                logprobs[i] = i == 0 ? -0.25f : Float.NEGATIVE_INFINITY;
            }
            return new TokenLogprobs(-0.25f, tokens, logprobs);
        }
    }

    volatile Function<GenerationRequest, int[]> scripts = _ -> ByteTokenizer.bytesOf("ok");
    volatile boolean endless;
    volatile boolean ready = true;
    volatile int failAt = -1;
    volatile ErrorCategory failCategory = ErrorCategory.INTERNAL;
    volatile String failCode = "worker_lost";
    volatile long retryAfterMillis;
    volatile @Nullable ServedModel served =
            new ServedModel("0123456789abcdef", ByteTokenizer.VOCABULARY, 1 << 20);

    /// Every sequence ever submitted, for tests to look at or wait for.
    final LinkedBlockingQueue<Running> submitted = new LinkedBlockingQueue<>();

    /// Whether a sequence goes on beyond its limit, as none may.
    volatile boolean overrun;

    /// Whether every token needs a permit of `pace`.
    volatile boolean paced;

    final Semaphore pace = new Semaphore(0);

    private final LinkedBlockingQueue<Running> arrivals = new LinkedBlockingQueue<>();
    private final Thread agent = new Thread(this::work, "scripted service");
    private volatile boolean closed;

    ScriptedService() {
        agent.start();
    }

    /// Back to how a new one is, for the next test; nothing may be in work.
    void reset() {
        scripts = _ -> ByteTokenizer.bytesOf("ok");
        endless = false;
        ready = true;
        failAt = -1;
        retryAfterMillis = 0;
        paced = false;
        pace.drainPermits();
        submitted.clear();
    }

    @Override
    public Handle submit(GenerationRequest request, TokenSink sink) {
        var running = new Running(request, sink);
        submitted.add(running);
        arrivals.add(running);
        return running;
    }

    @Override
    public @Nullable ServedModel model() {
        return served;
    }

    @Override
    public boolean ready() {
        return ready;
    }

    private void work() {
        List<Running> batch = new ArrayList<>();
        try {
            while (!closed) {
                if (batch.isEmpty()) {
                    batch.add(arrivals.take());
                }
                arrivals.drainTo(batch);
                batch.removeIf(ScriptedService::endsWithThisStep);
            }
        } catch (InterruptedException e) {
            // closed while idle
        }
    }

    private static boolean endsWithThisStep(Running sequence) {
        if (sequence.step()) {
            return false;
        }
        sequence.ended.countDown();
        return true;
    }

    @Override
    public void close() throws InterruptedException {
        closed = true;
        paced = false;
        pace.release(1 << 20);
        agent.interrupt();
        agent.join();
    }
}
