package dev.tandem.api;

import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.logging.RequestLogProperty;
import com.linecorp.armeria.server.ServiceRequestContext;

import dev.tandem.api.CallEvents.Interruption;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;

import org.jspecify.annotations.Nullable;

import java.util.concurrent.CompletableFuture;

/// Notices that a request's client has gone, at once and without writing. The server itself tells a closed HTTP/1
/// connection only a second later, so the channel is watched, too; a reset HTTP/2 stream shows in the response.
final class ConnectionWatch {
    private final @Nullable Channel channel;
    private final ChannelFutureListener onClose;

    private ConnectionWatch(@Nullable Channel channel, ChannelFutureListener onClose) {
        this.channel = channel;
        this.onClose = onClose;
    }

    /// @param interruption completed with [Interruption#CLIENT_GONE] when it happens
    static ConnectionWatch start(
            ServiceRequestContext ctx,
            HttpResponse response,
            CompletableFuture<Interruption> interruption) {
        response.whenComplete()
                .whenComplete(
                        (_, failure) -> {
                            if (failure != null) {
                                interruption.complete(Interruption.CLIENT_GONE);
                            }
                        });
        Channel channel = ctx.log().ensureAvailable(RequestLogProperty.SESSION).channel();
        ChannelFutureListener onClose = _ -> interruption.complete(Interruption.CLIENT_GONE);
        if (channel != null) {
            channel.closeFuture().addListener(onClose);
        }
        return new ConnectionWatch(channel, onClose);
    }

    /// The request is over; its connection may serve many more.
    void stop() {
        if (channel != null) {
            channel.closeFuture().removeListener(onClose);
        }
    }
}
