package dev.tandem.transport;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tandem.wire.TransferEndpoint;
import dev.tandem.wire.TransportKind;

import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// Which transport a pair uses, under a clock of the test's.
class LaneLinkTest {
    private static final long STEP_BACK_NANOS =
            TimeUnit.MILLISECONDS.toNanos(LaneLink.STEP_BACK_MILLIS);
    private static final TransportKind FIRST = TransportKind.TRANSPORT_KIND_SHARED_MEMORY;
    private static final TransportKind SECOND = TransportKind.TRANSPORT_KIND_GRPC;

    private final Door first = new Door(FIRST);
    private final Door second = new Door(SECOND);
    private final TransferMetrics metrics = new TransferMetrics();
    private final LaneLink link = new LaneLink(7, List.of(first, second), metrics);
    private final List<TransferEndpoint> both = List.of(endpoint(SECOND), endpoint(FIRST));
    private long now = Long.MAX_VALUE - 5; // wraps

    /// Opens, or not.
    private static final class Door implements BlockTransport {
        private final TransportKind kind;
        boolean shut;
        int open;

        Door(TransportKind kind) {
            this.kind = kind;
        }

        @Override
        public TransportKind kind() {
            return kind;
        }

        @Override
        public BlockLink open(TransferEndpoint endpoint, long incarnation, long waitMillisMax)
                throws IOException {
            if (shut) {
                throw new IOException("shut");
            }
            open++;
            return new BlockLink() {
                @Override
                public BlockChannel open(long lease, long writer, Events events) {
                    throw new UnsupportedOperationException();
                }

                @Override
                public void close() {
                    open--;
                }
            };
        }
    }

    @Test
    void theWritersOrderDecidesAmongWhatBothOffer() throws Exception {
        assertThat(link.connect(both, 1, now)).isNull();
        assertThat(link.kind()).isEqualTo(FIRST);
        link.close();
        assertThat(link.connect(List.of(endpoint(SECOND)), 1, now)).isNull();
        assertThat(link.kind()).isEqualTo(SECOND);
        link.close();
        assertThat(link.connect(List.of(), 1, now)).contains("no transport in common");
        assertThat(metrics.fallbacks()).isZero();
    }

    @Test
    void oneThatDoesNotOpenGivesWayAndIsCounted() throws Exception {
        first.shut = true;
        assertThat(link.connect(both, 1, now)).isNull();
        assertThat(link.kind()).isEqualTo(SECOND);
        assertThat(metrics.fallbacks()).isEqualTo(1);
        link.close();
        second.shut = true;
        assertThat(link.connect(both, 1, now)).contains("SHARED_MEMORY: shut", "GRPC: shut");
        second.shut = false;
        assertThat(link.connect(both, 1, now)).as("not asked again at once").isNotNull();
        now += TimeUnit.SECONDS.toNanos(1);
        assertThat(link.connect(both, 1, now)).isNull();
    }

    @Test
    void oneThatFailedALeaseStepsBackAndIsTriedAgain() throws Exception {
        assertThat(link.connect(both, 1, now)).isNull();
        link.failed("broken", now);
        link.close();
        assertThat(link.connect(both, 1, now)).isNull();
        assertThat(link.kind()).isEqualTo(SECOND);
        assertThat(metrics.fallbacks()).isEqualTo(1);
        link.reconsider(now + STEP_BACK_NANOS - 1);
        assertThat(second.open).as("too early").isEqualTo(1);
        now += STEP_BACK_NANOS;
        link.reconsider(now);
        assertThat(second.open).isZero();
        assertThat(link.connect(both, 1, now)).isNull();
        assertThat(link.kind()).isEqualTo(FIRST);
    }

    @Test
    void whatHasSteppedBackIsBetterThanNothing() throws Exception {
        assertThat(link.connect(both, 1, now)).isNull();
        link.failed("broken", now);
        link.close();
        second.shut = true;
        assertThat(link.connect(both, 1, now)).isNull();
        assertThat(link.kind()).isEqualTo(FIRST);
    }

    private static TransferEndpoint endpoint(TransportKind kind) {
        return TransferEndpoint.newBuilder().setKind(kind).build();
    }
}
