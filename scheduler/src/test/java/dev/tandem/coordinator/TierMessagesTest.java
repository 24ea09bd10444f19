package dev.tandem.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import com.google.protobuf.ByteString;

import dev.tandem.core.Event;
import dev.tandem.core.PrefixHasher;
import dev.tandem.kv.BlockHash;
import dev.tandem.wire.TierReport;

import org.junit.jupiter.api.Test;

import java.util.Arrays;

/// What workers' tiers say, as the core hears it.
class TierMessagesTest {
    @Test
    void hashesAreTheSameWordsAsTheCoreMakes() {
        int[] tokens = {1, 2, 3, 70_000};
        long[] words = new PrefixHasher().hashesOf(tokens, 4, 2, "");
        BlockHash hash = new BlockHash();
        byte[] first = hash.next(BlockHash.root("0"), tokens, 0, 2, "");
        byte[] second = hash.next(first, tokens, 2, 2, "");
        Event.TierReport report =
                TierMessages.report(
                        7,
                        TierReport.newBuilder()
                                .setRequest(5)
                                .setBlocks(2)
                                .setStored(
                                        ByteString.copyFrom(first)
                                                .concat(ByteString.copyFrom(second)))
                                .setDropped(ByteString.copyFrom(second))
                                .build());
        assertThat(report.replica()).isEqualTo(7);
        assertThat(report.request()).isEqualTo(5);
        assertThat(report.blocks()).isEqualTo(2);
        assertThat(report.stored()).containsExactly(words);
        assertThat(report.dropped())
                .containsExactly(Arrays.copyOfRange(words, PrefixHasher.WORDS, words.length));
    }

    @Test
    void whatIsNoHashIsRefused() {
        TierReport cut =
                TierReport.newBuilder().setStored(ByteString.copyFrom(new byte[33])).build();
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TierMessages.report(1, cut))
                .withMessageContaining("33 bytes");
        TierReport tooMany = TierReport.newBuilder().setBlocks(-1).build();
        assertThatIllegalArgumentException().isThrownBy(() -> TierMessages.report(1, tooMany));
    }
}
