package dev.tandem.admission;

/// What becomes of a request.
public sealed interface Verdict {
    /// It may join the queue.
    record Accept() implements Verdict {}

    /// It may join the queue once work of lower lanes has left it: the caller fails waiting sequences, lowest lane and
    /// newest first ([FairQueue#shedCandidate]), until both amounts are reached. Never of the request's own lane.
    ///
    /// @param lane the request's lane; only lanes below it are shed
    /// @param tokens waiting tokens that have to go at least
    /// @param sequences waiting sequences that have to go at least
    record AcceptByShedding(Lane lane, long tokens, int sequences) implements Verdict {}

    /// It is refused at once, which is kinder than to let it wait in vain.
    ///
    /// @param message one sentence for people
    /// @param retryAfterMillis when to come back, 0 = it is of no use to send the same request again
    record Refuse(Reason reason, String message, int retryAfterMillis) implements Verdict {
        public String code() {
            return reason.code();
        }
    }

    /// The one instance of [Accept].
    Accept ACCEPT = new Accept();
}
