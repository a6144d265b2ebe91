"""A recording as it is handed in: bytes, a path or an open file, and what kind of file its first bytes make it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from babelroom.errors import InvalidAudio

MAX_BYTES = 25 * 1024 * 1024
"""OpenAI's limit for one recording: "Speech to text" in its guides."""

Recording = bytes | bytearray | memoryview | str | Path | BinaryIO
"""Bytes, the path of a file, or a file that is open for reading bytes."""

# Of an MPEG audio frame's second byte: the end of its synchronisation, and the layer.
_LAYER_MASK, _LAYER_III = 0xE6, 0xE2
_BRANDS = {b"M4A ": "m4a", b"M4B ": "m4a"}
_PICTURES = {b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif", b"avis"}
"""Brands of the same container, which hold no sound."""


@dataclass(frozen=True, slots=True)
class Audio:
    data: bytes
    format: str
    """The extension of such files: webm, ogg, mp4, m4a, mp3, wav or flac."""

    @property
    def filename(self) -> str:
        """A name for it: servers know the kind of a file by its extension."""
        return f"recording.{self.format}"


def read(recording: Recording) -> Audio:
    """Return the recording's bytes and kind. Blocks while a file is read.

    Raises:
        InvalidAudio: it cannot be read, is empty, too large, or no kind of sound file that is known.
    """
    data = _bytes(recording)
    if len(data) > MAX_BYTES:
        raise InvalidAudio(f"{InvalidAudio.__doc__} This one is larger: cut it, or encode it smaller.")
    found = kind(data)
    if found is None:
        first = f"begins with {data[:12].hex(' ')}" if data else "is empty"
        raise InvalidAudio(f"{InvalidAudio.__doc__} This one {first}.")
    return Audio(data, found)


def kind(data: bytes) -> str | None:
    """Return the extension of such files, by the signature that the format's specification gives; None: unknown."""
    if data[4:8] == b"ftyp":
        return None if data[8:12] in _PICTURES else _BRANDS.get(data[8:12], "mp4")
    if data[:4] == b"RIFF" and data[8:12] == b"WAVE":
        return "wav"
    if data[:3] == b"ID3" or (data[:1] == b"\xff" and data[1:2] and data[1] & _LAYER_MASK == _LAYER_III):
        return "mp3"  # a tag, or a frame
    return {b"\x1a\x45\xdf\xa3": "webm", b"OggS": "ogg", b"fLaC": "flac"}.get(data[:4])


def _bytes(recording: Recording) -> bytes:
    try:
        if isinstance(recording, bytes | bytearray | memoryview):
            return bytes(recording)
        if isinstance(recording, str | Path):
            with Path(recording).open("rb") as file:
                return _beginning(file)
        return _beginning(recording)
    except InvalidAudio:
        raise
    except (OSError, ValueError, AttributeError) as error:
        raise InvalidAudio(f"The recording cannot be read: {error}") from error


def _beginning(file: BinaryIO) -> bytes:
    """All of the file; of one that is too large no more than shows it. A read of a pipe may give less than it could."""
    data = bytearray()
    while len(data) <= MAX_BYTES:
        part: object = file.read(MAX_BYTES + 1 - len(data))
        if not isinstance(part, bytes):
            raise InvalidAudio(
                f"The recording's file gives {type(part).__name__}: open it for reading bytes, as with 'rb'."
            )
        if not part:
            break
        data += part
    return bytes(data)
