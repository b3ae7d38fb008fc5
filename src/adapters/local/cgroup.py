"""The memory limit of this process's control group, and the kernel's count of kills for it."""

from __future__ import annotations

from pathlib import Path

_ROOT = Path("/sys/fs/cgroup")


def memory_limit() -> int | None:
    """Bytes; None where there is no limit, or none can be seen."""
    for folder in _folders():
        for name in ("memory.max", "memory.limit_in_bytes"):
            text = _read(folder / name)
            # cgroup v1 says "no limit" with a number close to 2**63.
            if text and text.isdigit() and int(text) < 2**60:
                return int(text)
    return None


def oom_kills() -> int:
    """How many processes of the group the kernel has killed for its memory so far."""
    for folder in _folders():
        for name in ("memory.events", "memory.oom_control"):
            text = _read(folder / name)
            for line in (text or "").splitlines():
                key, _, value = line.partition(" ")
                if key == "oom_kill" and value.isdigit():
                    return int(value)
    return 0


def _folders() -> list[Path]:
    folders = []
    for line in (_read(Path("/proc/self/cgroup")) or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers:
            folders.append(_ROOT / path.lstrip("/"))
        elif "memory" in controllers.split(","):
            folders.append(_ROOT / "memory" / path.lstrip("/"))
    # Inside a container the path is the host's, and the group itself is mounted at the root.
    return [*folders, _ROOT, _ROOT / "memory"]


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except OSError:
        return None
