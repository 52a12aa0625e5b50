"""What comes over the wire, made safe for the libraries that read it.

python-engineio and python-socketio take a client at its word: a frame that they cannot parse ends their
reader without cleaning up or is logged with all that it holds, and a client's event may meet their handlers.
"""

import json
import logging
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from engineio.payload import Payload
from socketio import packet

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

MAX_FRAME = 65_536  # bytes
Payload.max_decode_packets = 256  # a browser may send as many at once as fit into one request

# What stands for an event's name inside python-socketio: no name that a client chooses meets its handlers.
EVENT, INVALID = object(), object()

OUR_NAMESPACE = (None, "/")
CLOSE = "1"
# Engine.IO would parse what follows a message's `4`, unless a packet type does. This one there is not.
NO_PACKET = "49"


class TextPacket(packet.Packet):  # type: ignore[misc]
    """A Socket.IO packet that never fails to decode: what is no text event of ours says so."""

    uses_binary_events = False
    packet_type: Any
    namespace: Any
    data: Any

    def __init__(self, *args: Any, encoded_packet: object = None, **fields: Any) -> None:
        super().__init__(*args, **fields)
        if encoded_packet is not None:  # the library leaves an empty one undecoded
            self.decode(encoded_packet)

    def decode(self, encoded_packet: object) -> int:
        try:
            super().decode(encoded_packet)
        except (ValueError, IndexError, TypeError, AttributeError, RecursionError):
            return self._become(INVALID)
        if self.packet_type == packet.CONNECT:
            return 0
        if self.namespace not in OUR_NAMESPACE:
            return self._become(INVALID)
        if self.packet_type in (packet.DISCONNECT, packet.ACK):
            return 0
        named = isinstance(self.data, list) and self.data and isinstance(self.data[0], str)
        if self.packet_type == packet.EVENT and named:
            return self._become(EVENT, self.data[0], self.data[1:])
        return self._become(INVALID)

    def _become(self, kind: object, name: str = "", args: list[Any] | None = None) -> int:
        if self.packet_type not in (packet.EVENT, packet.BINARY_EVENT):
            self.id = None  # not the number of an acknowledgement that is asked for
        self.packet_type, self.namespace, self.data = packet.EVENT, None, [kind, name, args or []]
        return 0


class Utf8Json:
    """JSON as the wire carries it: letters as they are, not as escapes of six bytes."""

    loads = staticmethod(json.loads)

    @staticmethod
    def dumps(value: object, **options: Any) -> str:
        return json.dumps(value, ensure_ascii=False, **options)


class Quiet:
    """The logger of both libraries: their lines hold what clients send; the kind of a failure is kept."""

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def debug(self, message: str, *args: object) -> None: ...

    info = warning = error = debug

    def exception(self, message: str, *args: object) -> None:
        self._logger.error("library_failed error=%s", type(sys.exception()).__name__)


def checked_frame(text: str) -> str | None:
    """Return a text frame as Engine.IO may have it, or None if it is none of its frames."""
    if text in (CLOSE, "2", "2probe", "3", "3probe", "5", "6"):
        return text
    if text[:1] == "4" and len(text.encode(errors="replace")) <= MAX_FRAME:
        return text if text[1:2] and text[1] in "0123456" else NO_PACKET
    return None


def checked_websocket(receive: Receive) -> Receive:
    """Pass on the frames of a WebSocket that are Engine.IO's; any other ends the connection."""

    async def checked() -> Message:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            text, data = message.get("text"), message.get("bytes")
            if text is None and data is not None and len(data) <= MAX_FRAME:
                continue  # an attachment, perhaps empty: the packet that announced it has been refused
            frame = None if text is None else checked_frame(text)
            if frame is None or frame == CLOSE:
                return {"type": "websocket.disconnect", "code": 1000 if frame else 1002}
            return {"type": "websocket.receive", "text": frame}

    return checked


def checked_payload(body: bytes) -> tuple[bytes, bool] | None:
    """Return the frames of a polling request as Engine.IO may have them, and whether they end the connection.

    None: there is one among them that is none of its frames.
    """
    frames: list[str] = []
    if len(body) > MAX_FRAME:
        return None
    try:
        texts = body.decode().split("\x1e")
    except UnicodeDecodeError:
        return None
    for text in texts:
        if text[:1] == "b":
            continue  # an attachment
        frame = checked_frame(text)
        if frame is None or len(frames) == Payload.max_decode_packets:
            return None
        if frame == CLOSE:
            return "\x1e".join(frames).encode(), True
        frames.append(frame)
    return "\x1e".join(frames).encode(), False
