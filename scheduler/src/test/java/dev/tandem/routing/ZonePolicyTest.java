package dev.tandem.routing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;
import java.util.Random;

class ZonePolicyTest {
    private static final long SECOND = 1_000_000_000L;
    private static final int POOL = 0;
    private final HealthBook book = new HealthBook(64, 30 * SECOND);
    private ZonePolicy zones = new ZonePolicy(ZonePolicy.Options.defaults(), 1);
    private long now;

    @Test
    void aZoneKeepsAllUntilMoreThanTwoSeventhsAreLost() {
        Health[] local = join("a", 10, 100);
        join("b", 10, 100);
        assertThat(localLoad("a")).isEqualTo(1);
        lose(local, 0, 2);
        assertThat(localLoad("a")).isEqualTo(1); // 1.4 x 0.8
        lose(local, 2, 5);
        assertThat(localLoad("a")).isCloseTo(0.7, within(1e-9));
        assertThat(zones.load(POOL, 0, 1)).isCloseTo(0.3, within(1e-9));
        lose(local, 5, 10);
        assertThat(localLoad("a")).isZero();
        assertThat(localLoad("b")).isEqualTo(1);
        now += 601 * SECOND; // what was lost is no longer expected back
        join("a", 1, 100);
        assertThat(localLoad("a")).isEqualTo(1);
    }

    @Test
    void drainedCapacityIsNotMissed() {
        Health[] local = join("a", 4, 100);
        join("b", 4, 100);
        for (int i = 0; i < 3; i++) {
            book.lost(local[i], now);
            local[i].missed = false;
        }
        assertThat(localLoad("a")).isEqualTo(1);
    }

    @Test
    void failoverFollowsItsRulesInOrder() {
        zones =
                new ZonePolicy(
                        new ZonePolicy.Options(
                                1.4,
                                0.3,
                                1,
                                600_000,
                                10_000,
                                Map.of("a", List.of("c", "b")),
                                false),
                        1);
        Health[] a = join("a", 4, 100);
        join("b", 4, 100);
        Health[] c = join("c", 4, 100);
        join("d", 4, 100);
        assertThat(zones.levels(0)).isEqualTo(3);
        assertThat(zones.level(0, zones.find("d"))).as("not allowed").isEqualTo(-1);
        lose(a, 0, 4);
        zones.refresh(book, now);
        assertThat(zones.load(POOL, 0, 1)).isEqualTo(1); // all to c
        lose(c, 0, 2);
        zones.refresh(book, now);
        assertThat(zones.load(POOL, 0, 1)).isCloseTo(0.7, within(1e-9));
        assertThat(zones.load(POOL, 0, 2)).isCloseTo(0.3, within(1e-9)); // the rest to b
        assertThatThrownBy(
                        () ->
                                new ZonePolicy.Options(
                                        1.4, 0.3, 1, 1, 1, Map.of("a", List.of("a")), true))
                .hasMessage("zones.failover of a names the zone itself");
    }

    @Test
    void onlyThePartThatDemandExceedsIsSpilled() {
        join("a", 2, 100);
        join("b", 8, 100);
        demand("a", 400, "b", 400);
        assertThat(localLoad("a")).isCloseTo(0.5, within(0.02));
        assertThat(localLoad("b")).isEqualTo(1);
        assertThat(zones.admissibleShare(POOL, 0)).isCloseTo(1, within(1e-9));
    }

    @Test
    void aFailedZonesLoadIsAdmittedAsFarAsTheRestCanCarry() {
        Health[] a = join("a", 4, 100);
        join("b", 4, 100);
        join("c", 4, 100);
        lose(a, 0, 4);
        demand("a", 400, "b", 300, "c", 300);
        zones.refresh(book, now);
        assertThat(zones.admissibleShare(POOL, 0)).isCloseTo(0.5, within(0.02)); // 200 are spare
        assertThat(zones.admissibleShare(POOL, 1)).isEqualTo(1);
        assertThat(zones.admissibleShare(POOL, ZonePolicy.ANY_ZONE)).isEqualTo(1);
    }

    @Test
    void whatIsAdmittedNeverExceedsWhatIsHealthy() {
        Random random = new Random(Seeds.SEED);
        String[] names = {"a", "b", "c", "d"};
        for (int round = 0; round < 300; round++) {
            HealthBook fresh = new HealthBook(64, 30 * SECOND);
            zones = new ZonePolicy(ZonePolicy.Options.defaults(), 1);
            double healthy = 0;
            double[] rates = new double[4];
            for (int zone = 0; zone < 4; zone++) {
                for (int i = 0; i < 1 + random.nextInt(5); i++) {
                    Health health = fresh.joined(names[zone] + i);
                    health.zone = zones.join(names[zone]);
                    health.tokensPerSecond = 50 + random.nextInt(100);
                    if (random.nextInt(3) == 0) {
                        fresh.lost(health, now);
                        health.missed = true;
                    } else if (random.nextInt(5) == 0) {
                        health.state = Health.State.EJECTED;
                    } else {
                        healthy += health.tokensPerSecond;
                    }
                }
                rates[zone] = random.nextInt(600);
            }
            for (int second = 0; second < 20; second++) {
                now += SECOND;
                for (int zone = 0; zone < 4; zone++) {
                    zones.arrived(POOL, zone, (int) rates[zone], now);
                }
            }
            zones.refresh(fresh, now);
            double admitted = 0;
            double wanted = 0;
            for (int zone = 0; zone < 4; zone++) {
                double measured = rates[zone] * 20 / 19; // arrivals at both ends of 19 s
                admitted += measured * zones.admissibleShare(POOL, zone);
                wanted += measured;
                double sum = 0;
                for (int level = 0; level < zones.levels(zone); level++) {
                    assertThat(zones.load(POOL, zone, level)).isBetween(0.0, 1 + 1e-9);
                    sum += zones.load(POOL, zone, level);
                }
                assertThat(sum)
                        .as(Seeds.repeat(getClass()))
                        .isCloseTo(sum == 0 ? 0 : 1, within(1e-9));
            }
            // All zones may go anywhere, so everything that fits is admitted and nothing beyond.
            assertThat(admitted)
                    .as(Seeds.repeat(getClass()))
                    .isCloseTo(Math.min(wanted, healthy), within(1e-6 * (wanted + 1)));
        }
    }

    @Test
    void lossOfMostOfThePoolIsPanic() {
        Health[] a = join("a", 10, 100);
        lose(a, 0, 7);
        zones.refresh(book, now);
        assertThat(zones.isPanicking(POOL)).isFalse();
        a[7].state = Health.State.EJECTED;
        zones.refresh(book, now);
        assertThat(zones.isPanicking(POOL)).isTrue();
    }

    @Test
    void clientsCannotInventZonesAndTooManyShareTheLast() {
        assertThat(zones.find("made up")).isEqualTo(ZonePolicy.ANY_ZONE);
        assertThat(zones.join("")).isEqualTo(ZonePolicy.ANY_ZONE);
        for (int i = 0; i < ZonePolicy.ZONES_MAX; i++) {
            assertThat(zones.join("zone-" + i)).isEqualTo(i);
        }
        assertThat(zones.join("one more")).isEqualTo(ZonePolicy.ZONES_MAX - 1);
        zones.refresh(book, now);
        assertThat(zones.chooseLevel(POOL, 0, 0.5)).isZero();
    }

    private Health[] join(String zone, int count, double tokensPerSecond) {
        Health[] joined = new Health[count];
        for (int i = 0; i < count; i++) {
            joined[i] = book.joined(zone + i);
            joined[i].zone = zones.join(zone);
            joined[i].tokensPerSecond = tokensPerSecond;
            joined[i].missed = false;
        }
        return joined;
    }

    private void lose(Health[] workers, int from, int to) {
        for (int i = from; i < to; i++) {
            book.lost(workers[i], now);
            workers[i].missed = true;
        }
    }

    /// Pairs of zone and tokens per second, for a minute.
    private void demand(Object... pairs) {
        for (int tenth = 0; tenth < 600; tenth++) {
            now += SECOND / 10;
            for (int i = 0; i < pairs.length; i += 2) {
                int zone = zones.find((String) pairs[i]);
                zones.arrived(POOL, zone, (Integer) pairs[i + 1] / 10, now);
            }
        }
    }

    private double localLoad(String zone) {
        zones.refresh(book, now);
        return zones.load(POOL, zones.find(zone), 0);
    }
}
