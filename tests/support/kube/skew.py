"""A pod whose clock is wrong: a library, loaded before all others, that shifts the wall clock and nothing else."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

# The monotonic clock stays right, as on a machine whose wall clock somebody has set. After SKEW_JUMP_AFTER seconds of
# the process's life the wall clock is as wrong on the other side: it jumps.
_SOURCE = r"""
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long began;

static long life(void) {
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
    if (began == 0) began = now.tv_sec;
    return now.tv_sec - began;
}

__attribute__((constructor)) static void begin(void) { life(); }

static long skew(void) {
    const char *seconds = getenv("SKEW"), *after = getenv("SKEW_JUMP_AFTER");
    long by = seconds ? atol(seconds) : 0;
    return after && life() >= atol(after) ? -by : by;
}

int clock_gettime(clockid_t which, struct timespec *now) {
    int failed = (int)syscall(SYS_clock_gettime, which, now);
    if (!failed && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += skew();
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *kept) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (kept) *kept = exact.tv_sec;
    return exact.tv_sec;
}
"""


def skewed(folder: Path, seconds: int, jump_after: int | None = None) -> Mapping[str, str]:
    """Variables for an image: the wall clock of its processes is so many seconds ahead (behind: below 0).

    Skips the test where there is no C compiler.
    """
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("a clock can be shifted with a C compiler alone")
    source, library = folder / "skew.c", folder / "skew.so"
    if not library.exists():
        source.write_text(_SOURCE)
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source)], check=True)
    jump = {} if jump_after is None else {"SKEW_JUMP_AFTER": str(jump_after)}
    return {"LD_PRELOAD": str(library), "SKEW": str(seconds), **jump}
