/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "lib/machine/process.h"

#include <sys/mman.h>
#include <unistd.h>

#include "lib/host/sys.h"

int axv_process_init(struct axv_process *process)
{
	static const uint64_t unknown;
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	void *page = NULL;
	int ret = axv_sys_mmap(size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0,
			       &page);

	if (ret)
		return ret;
	*process = (struct axv_process){ .mark = &unknown, .pid = getpid() };
	if (axv_sys_madvise(page, size, MADV_WIPEONFORK)) {
		/* Linux before 4.14, or a sandbox that refuses it. */
		axv_sys_munmap(page, size);
		return 0;
	}
	*(uint64_t *)page = PROCESS_MARK;
	process->mark = page;
	process->page_size = size;
	return 0;
}

void axv_process_destroy(struct axv_process *process)
{
	if (process->page_size)
		axv_sys_munmap((void *)process->mark, process->page_size);
}

bool axv_process_differs(const struct axv_process *process)
{
	return process->page_size || getpid() != process->pid;
}
