"""Random faults on real runs, for as long as one likes: ``python -m tests.chaos --n 1000 --seed 7 --minutes 30``."""
