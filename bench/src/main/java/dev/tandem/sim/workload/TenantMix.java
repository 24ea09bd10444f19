package dev.tandem.sim.workload;

import dev.tandem.admission.Lane;
import dev.tandem.admission.Terms;

import org.jspecify.annotations.Nullable;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/// Who sends the requests: each row belongs to one of the tenants, in proportion to their shares, by a function of the
/// seed and the row's number. Immutable.
///
/// @param tenants none = everything comes from the common tenant
public record TenantMix(List<Tenant> tenants) {
    /// @param share relative to the others'
    /// @param lane null = that of the workload class
    /// @param workload name of the workload class; empty = the default one
    public record Tenant(String name, double share, @Nullable Lane lane, String workload) {
        public Tenant {
            if (!(share > 0) || Double.isInfinite(share)) {
                throw new IllegalArgumentException(
                        "share of tenant %s must be more than 0, is %s".formatted(name, share));
            }
        }
    }

    private static final TenantMix NONE = new TenantMix(List.of());

    public TenantMix {
        tenants = List.copyOf(tenants);
    }

    public static TenantMix none() {
        return NONE;
    }

    /// Reads `name:share[:lane[:class]]`, several by commas: `shop:3:interactive,crawler:1:batch:bulk`.
    ///
    /// @throws IllegalArgumentException it is not like that
    public static TenantMix parse(String text) {
        var tenants = new ArrayList<Tenant>();
        for (String part : text.split(",", -1)) {
            String[] fields = part.strip().split(":", -1);
            if (fields.length < 2 || fields.length > 4) {
                throw new IllegalArgumentException(
                        "a tenant is NAME:SHARE[:LANE[:CLASS]], not \"" + part + "\"");
            }
            tenants.add(
                    new Tenant(
                            fields[0],
                            share(fields[0], fields[1]),
                            fields.length > 2 && !fields[2].isEmpty() ? lane(fields[2]) : null,
                            fields.length > 3 ? fields[3] : ""));
        }
        return new TenantMix(tenants);
    }

    private static double share(String tenant, String text) {
        try {
            return Double.parseDouble(text);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "share of tenant %s is not a number: \"%s\"".formatted(tenant, text), e);
        }
    }

    static Lane lane(String text) {
        for (Lane lane : Lane.values()) {
            if (lane.name().toLowerCase(Locale.ROOT).equals(text)) {
                return lane;
            }
        }
        throw new IllegalArgumentException(
                "a lane is interactive, default or batch, not \"" + text + "\"");
    }

    /// The terms of each tenant's requests, in the order of the tenants, with the sums of the shares up to it.
    Chooser chooser(long seed) {
        double[] upTo = new double[tenants.size()];
        Terms[] terms = new Terms[tenants.size()];
        double sum = 0;
        for (int i = 0; i < upTo.length; i++) {
            Tenant tenant = tenants.get(i);
            sum += tenant.share();
            upTo[i] = sum;
            terms[i] = new Terms(tenant.name(), tenant.workload(), tenant.lane(), "", "", 0, 0);
        }
        return new Chooser(seed, upTo, terms);
    }

    /// Chooses by row.
    static final class Chooser {
        private static final long SALT = 0x7465_6e61_6e74L;

        private final long seed;
        private final double[] upTo;
        private final Terms[] terms;

        private Chooser(long seed, double[] upTo, Terms[] terms) {
            this.seed = seed ^ SALT;
            this.upTo = upTo;
            this.terms = terms;
        }

        Terms termsOf(long row) {
            if (terms.length == 0) {
                return Terms.none();
            }
            double at = Mixing.unit(seed, row) * upTo[upTo.length - 1];
            int i = 0;
            while (i < upTo.length - 1 && at >= upTo[i]) {
                i++;
            }
            return terms[i];
        }
    }
}
