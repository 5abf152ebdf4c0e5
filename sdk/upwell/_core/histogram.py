"""Lengths of time counted in logarithmic buckets: percentiles of any number of actions, from a few numbers.

A bucket is 2^(1/8) wide, so that what is told of a length is wrong by 4.5 % at most. Counts of buckets add up
and are taken off again, in any order: histograms of parts make that of the whole.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

PER_OCTAVE = 8
LEAST_S = 1e-6
"""Shorter lengths count as this."""
TOP = 40 * PER_OCTAVE
"""Longer lengths than 2^40 µs, which is 12 days, count as this."""


@lru_cache(maxsize=1 << 14)
def bucket_of(length_s: float) -> int:
    """Return the bucket of a length of time."""
    return min(TOP, math.floor(PER_OCTAVE * math.log2(max(length_s, LEAST_S) / LEAST_S)))


def length_of(bucket: int) -> float:
    """Return the length in the middle of a bucket, in seconds."""
    return float(LEAST_S * 2.0 ** ((bucket + 0.5) / PER_OCTAVE))


def percentile(counts: Mapping[int, int], share: float, longest_s: float) -> float:
    """Return the length that so many of those counted have at most, by nearest rank, in seconds.

    Args:
        counts: By bucket; what is below zero for a moment counts as none.
        share: Between 0 and 1.
        longest_s: The longest of all, which no answer is above; 0 without lengths.
    """
    total = sum(max(0, n) for n in counts.values())
    rank = max(1, math.ceil(share * total))
    for bucket in sorted(counts):
        rank -= max(0, counts[bucket])
        if rank <= 0 and total:
            return min(length_of(bucket), longest_s)
    return 0.0
