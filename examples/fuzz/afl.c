/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * The protocol of AFL's fork server, without forks. afl-fuzz passes two pipes and the coverage map.
 * It asks for each run, and expects a process id and a wait status.
 */
#include "afl.h"

#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/shm.h>
#include <unistd.h>

#include "target.h"

#define CONTROL_FD 198
#define STATUS_FD 199
#define MAP_SIZE 65536u
/* afl-fuzz kills the process of a run that takes too long. No process has this id. */
#define NO_PROCESS 0xffffff

_Static_assert(TARGET_COUNTERS_MAX <= MAP_SIZE, "all counters fit into the map");

static void send(int32_t word)
{
	if (write(STATUS_FD, &word, sizeof(word)) != sizeof(word))
		target_die("afl-fuzz has ended");
}

bool afl_run(struct target *target)
{
	static const int32_t statuses[] = {
		[TARGET_OK] = 0,
		[TARGET_CRASH] = SIGSEGV,
		[TARGET_HANG] = SIGKILL,
	};
	static uint8_t input[TARGET_INPUT_MAX];
	const char *id = getenv("__AFL_SHM_ID");
	int32_t request;
	void *map;

	if (!id)
		return false;
	map = shmat(atoi(id), NULL, 0);
	if (map == (void *)-1)
		target_die("the map of afl-fuzz cannot be attached");
	/* No options of the protocol. */
	send(0);
	while (read(CONTROL_FD, &request, sizeof(request)) == sizeof(request)) {
		/* afl-fuzz writes each input to the file that is stdin. */
		const ssize_t len = pread(STDIN_FILENO, input, sizeof(input), 0);
		enum target_result result;

		send(NO_PROCESS);
		result = target_run(target, input, len > 0 ? (size_t)len : 0);
		memcpy(map, target->counters, target->ncounters);
		send(statuses[result]);
	}
	shmdt(map);
	return true;
}
