/* gaploop: the poll loop of bench/suite's gaps without a Go runtime around it.
 * usage: gaploop CPU SECONDS → prints "P9999 MAX TURNS", nanoseconds between
 * two looks at the clock of a pinned loop that does nothing else.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Eight buckets to a power of two, as in dataplane/gaps.go. */
#define BUCKETS 320
static uint64_t counts[BUCKETS];

static uint64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int bucket(uint64_t nanos)
{
	if (nanos < 8)
		return (int)nanos;
	int exp = 63 - __builtin_clzll(nanos);
	int b = (exp - 2) * 8 + (int)((nanos >> (exp - 3)) & 7);
	return b < BUCKETS ? b : BUCKETS - 1;
}

static uint64_t floor_of(int b)
{
	return b < 8 ? (uint64_t)b : (uint64_t)(8 + b % 8) << (b / 8 + 2 - 3);
}

int main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(atoi(argv[1]), &set);
	if (sched_setaffinity(0, sizeof set, &set) != 0) {
		perror("sched_setaffinity");
		return 1;
	}
	uint64_t start = now(), end = start + (uint64_t)(atof(argv[2]) * 1e9);
	uint64_t last = start, max = 0, turns = 0;
	while (last < end) {
		uint64_t t = now();
		uint64_t gap = t - last;
		counts[bucket(gap)]++;
		if (gap > max)
			max = gap;
		last = t;
		turns++;
	}
	uint64_t seen = 0, p9999 = max;
	for (int b = 0; b < BUCKETS; b++) {
		seen += counts[b];
		if ((double)seen > 0.9999 * (double)turns) {
			p9999 = floor_of(b + 1) < max ? floor_of(b + 1) : max;
			break;
		}
	}
	printf("%llu %llu %llu\n", (unsigned long long)p9999, (unsigned long long)max, (unsigned long long)turns);
	return 0;
}
