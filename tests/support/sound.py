"""Real sound: espeak-ng speaks a line, ffmpeg makes any kind of file of it, ffprobe measures one."""

import shutil
import subprocess
from pathlib import Path

import pytest

needs_sound = pytest.mark.skipif(
    not all(map(shutil.which, ("espeak-ng", "ffmpeg", "ffprobe"))),
    reason="espeak-ng and ffmpeg make the recordings: on Debian and Ubuntu, apt install espeak-ng ffmpeg.",
)
EXTENSIONS = ("webm", "ogg", "mp4", "m4a", "mp3", "flac")
"""What `convert` makes, besides the wav that it is given."""

# As browsers and telephones record: Opus in webm and ogg, AAC in mp4.
_CODECS = {
    "webm": ["-c:a", "libopus"],
    "ogg": ["-c:a", "libopus"],
    "mp4": ["-c:a", "aac"],
    "m4a": ["-c:a", "aac", "-f", "ipod"],
}


def _run(command: str, *arguments: object) -> str:
    """Run one of the three programs and return what it tells."""
    found = shutil.which(command) or command
    told = subprocess.run([found, *map(str, arguments)], check=True, timeout=60, capture_output=True, text=True)
    return told.stdout


def _named(folder: Path, name: str) -> Path:
    """A path in the folder that is not there yet."""
    return folder / f"{sum(1 for _ in folder.iterdir()):03}-{name}.wav"


def speak(text: str, language: str, folder: Path) -> Path:
    """Return a new wav in the folder, in which a voice of the language says the text."""
    path = _named(folder, language)
    _run("espeak-ng", "-v", language, "-w", path, "--", text)
    return path


def silence(length: float, folder: Path) -> Path:
    """Return a new wav in the folder, in which nobody speaks for so many seconds."""
    path = _named(folder, "silence")
    _run("ffmpeg", "-v", "error", "-nostdin", "-f", "lavfi", "-i", "anullsrc=r=16000:cl=mono", "-t", length, path)
    return path


def convert(wav: Path, extension: str, *options: str) -> Path:
    """Return the same sound beside it as another kind of file; options are ffmpeg's own for the output."""
    path = wav.with_suffix(f".{extension}")
    _run("ffmpeg", "-v", "error", "-nostdin", "-y", "-i", wav, *_CODECS.get(extension, []), *options, path)
    return path


def seconds(path: Path) -> float:
    """Return how long the sound is."""
    return float(_run("ffprobe", "-v", "error", "-show_entries", "format=duration", "-of", "csv=p=0", path))
