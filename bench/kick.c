/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Latency of getting a vCPU out of a guest that computes: axvcpu_kick() beside a signal and
 * immediate_exit by hand, in turns. And the cost of eventfds: there and back through a guest that
 * takes an interrupt and writes to a port, tied by the library and by hand. x86_64.
 *
 *     kick [KICKS]
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench.h"
#include "guest.h"
#include "raw.h"

#define KICKS 4000u
/* In turns of so many, so that both meet the same weather. */
#define TURN 20u
/* The guest is in the middle of its work by then. */
#define HEAD_START_NS 100e3

/* --- kicks ----------------------------------------------------------------------------------------- */

enum how {
	AXVCPU,
	RAW,
	HOWS,
};

static const char *const how_names[] = { "axvcpu", "raw" };

static struct guest guest;
static struct raw_vm raw;
static pid_t owner;

/* The run that has begun, and the one that has ended, counted from 1; and when that was. */
static atomic_uint entered, returned;
static double returned_at;

static enum how turn(unsigned int n)
{
	return n / TURN % HOWS;
}

static void on_signal(int sig)
{
	(void)sig;
}

static void run_axvcpu(void)
{
	struct axvcpu_exit exit;

	do
		check(axvcpu_run(guest.vcpu, &exit));
	while (!exit.kicked);
}

static void run_raw(void)
{
	/* A late signal may come before the next request. */
	while (!ioctl(raw.vcpu, KVM_RUN, 0) || errno == EINTR)
		if (__atomic_exchange_n(&raw.run->immediate_exit, 0, __ATOMIC_SEQ_CST))
			return;
	die("KVM_RUN: %s", strerror(errno));
}

static void kick_axvcpu(void)
{
	check(axvcpu_kick(guest.vcpu));
}

static void kick_raw(void)
{
	__atomic_store_n(&raw.run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_tgkill, getpid(), owner, SIGUSR1);
}

static void wait_for(const atomic_uint *word, unsigned int value)
{
	while (atomic_load(word) < value)
		sched_yield();
}

/* The owner of both vCPUs. */
static void *own(void *arg)
{
	const unsigned int kicks = *(const unsigned int *)arg;
	static const struct guest_code spin = { .mode = AXVCPU_MODE_32,
						.code = "\xeb\xfe",
						.len = 2 };

	guest_new(&guest, &spin);
	raw_new(&raw, &spin);
	owner = gettid();
	for (unsigned int i = 0; i < kicks; i++) {
		atomic_store(&entered, i + 1);
		if (turn(i) == AXVCPU)
			run_axvcpu();
		else
			run_raw();
		returned_at = now_ns();
		atomic_store(&returned, i + 1);
	}
	raw_free(&raw);
	guest_free(&guest);
	return NULL;
}

static void measure_kicks(unsigned int kicks)
{
	double *ns[HOWS] = { malloc(kicks * sizeof(double)), malloc(kicks * sizeof(double)) };
	size_t n[HOWS] = { 0 };
	double p50[HOWS], p99[HOWS];
	pthread_t thread;

	if (!ns[AXVCPU] || !ns[RAW] || pthread_create(&thread, NULL, own, &kicks))
		die("out of memory");
	for (unsigned int i = 0; i < kicks; i++) {
		double start;

		wait_for(&entered, i + 1);
		for (start = now_ns(); now_ns() - start < HEAD_START_NS;)
			;
		start = now_ns();
		if (turn(i) == AXVCPU)
			kick_axvcpu();
		else
			kick_raw();
		wait_for(&returned, i + 1);
		ns[turn(i)][n[turn(i)]++] = returned_at - start;
	}
	pthread_join(thread, NULL);
	printf("from kick to return       p50 ns    p99 ns\n");
	for (int how = 0; how < HOWS; how++) {
		p50[how] = quantile(ns[how], n[how], 0.5);
		p99[how] = quantile(ns[how], n[how], 0.99);
		printf("  %-20s %9.0f %9.0f\n", how_names[how], p50[how], p99[how]);
		free(ns[how]);
	}
	printf("  %-20s %9.2f %9.2f\n", "ratio, at most 1.20", p50[AXVCPU] / p50[RAW],
	       p99[AXVCPU] / p99[RAW]);
}

/* --- eventfds ---------------------------------------------------------------------------------------- */

#define ROUNDS 2000u
#define GSI 5u
#define VECTOR 0x40u
#define DOORBELL 0x41
#define DONE 0x42
#define IDT 0x2000u
#define IDTR 0x3000u
#define HANDLER 0x4000u
#define MSI_ADDRESS 0xfee00000u
/* Writes in a row, between two exits. */
#define WRITES 1000u

static const unsigned char sleeper[] = {
	0x0f, 0x01,	0x1c, 0x25, 0x00, 0x30, 0x00, 0x00, /* lidt [IDTR] */
	0xb8, 0xf0,	0x00, 0xe0, 0xfe, /* mov eax, 0xfee000f0: spurious interrupts */
	0xc7, 0x00,	0xff, 0x01, 0x00, 0x00, /* mov dword [rax], 0x1ff: LAPIC on */
	0xfb, /* sti */
	0xe6, DOORBELL, /* out DOORBELL, al: ready */
	0xf4, /* hlt */
	0xeb, 0xfd, /* jmp back to it */
};

static const unsigned char handler[] = {
	0xb8, 0xb0,	0x00, 0xe0, 0xfe, /* mov eax, 0xfee000b0 */
	0xc7, 0x00,	0x00, 0x00, 0x00, 0x00, /* mov dword [rax], 0: end of interrupt */
	0xe6, DOORBELL, /* out DOORBELL, al */
	0x48, 0xcf, /* iretq */
};

static const unsigned char writer[] = {
	0xb9, WRITES & 0xff, WRITES >> 8, 0x00, 0x00, /* mov ecx, WRITES */
	0xe6, DOORBELL, /* out DOORBELL, al */
	0xff, 0xc9, /* dec ecx */
	0x75, 0xfa, /* jnz back to out */
	0xe6, DONE, /* out DONE, al */
	0xeb, 0xf1, /* jmp back to the beginning */
};

/* The library has made it; its eventfds are tied, and its vCPU is run, one way or the other. */
struct machine {
	enum how how;
	struct axvm *vm;
	struct axvcpu *vcpu;
	struct kvm_run *run;
	size_t run_size;
	int in;
	int out;
	pthread_t thread;
	pid_t tid;
	atomic_bool stop;
};

static void vm_ioctl(const struct machine *m, unsigned long request, const void *arg)
{
	if (ioctl(axvm_fd(m->vm), request, arg) < 0)
		die("ioctl %#lx: %s", request, strerror(errno));
}

static void tie_raw(struct machine *m)
{
	const struct kvm_irq_routing_entry entry = {
		.gsi = GSI,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = MSI_ADDRESS, .data = VECTOR },
	};
	const struct kvm_irqfd irqfd = { .fd = (uint32_t)m->in, .gsi = GSI };
	const struct kvm_ioeventfd ioeventfd = {
		.addr = DOORBELL, .len = 1, .fd = m->out, .flags = KVM_IOEVENTFD_FLAG_PIO
	};
	struct kvm_irq_routing *routing = calloc(1, sizeof(*routing) + sizeof(entry));

	if (!routing)
		die("out of memory");
	routing->nr = 1;
	routing->entries[0] = entry;
	if (m->in >= 0) {
		vm_ioctl(m, KVM_SET_GSI_ROUTING, routing);
		vm_ioctl(m, KVM_IRQFD, &irqfd);
	}
	vm_ioctl(m, KVM_IOEVENTFD, &ioeventfd);
	free(routing);
}

static void tie_axvcpu(struct machine *m)
{
	const struct axvm_route route = { .gsi = GSI,
					  .kind = AXVM_ROUTE_MSI,
					  .u.msi = { .address = MSI_ADDRESS, .data = VECTOR } };
	struct axvm_irqfd irqfd = AXVM_IRQFD_INIT;
	struct axvm_ioeventfd ioeventfd = AXVM_IOEVENTFD_INIT;

	irqfd.gsi = GSI;
	irqfd.fd = m->in;
	ioeventfd.flags = AXVM_EVENT_PORT;
	ioeventfd.address = DOORBELL;
	ioeventfd.width = 1;
	ioeventfd.fd = m->out;
	if (m->in >= 0) {
		check(axvm_set_routes(m->vm, &route, 1));
		check(axvm_set_irqfd(m->vm, &irqfd));
	}
	check(axvm_set_ioeventfd(m->vm, &ioeventfd));
}

static void write_idt(struct axvm *vm)
{
	const uint16_t limit = (VECTOR + 1) * 16 - 1;
	const uint64_t base = IDT;
	const uint64_t gate[2] = { HANDLER | 0x10u << 16 | UINT64_C(0x8e00) << 32, 0 };

	check(axvm_write(vm, IDTR, &limit, sizeof(limit)));
	check(axvm_write(vm, IDTR + 2, &base, sizeof(base)));
	check(axvm_write(vm, IDT + VECTOR * 16, gate, sizeof(gate)));
	check(axvm_write(vm, HANDLER, handler, sizeof(handler)));
}

static void machine_new(struct machine *m, enum how how, const void *code, size_t len)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm_region memory = AXVM_REGION_INIT;
	struct axvcpu_setup_config setup = AXVCPU_SETUP_CONFIG_INIT;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	*m = (struct machine){ .how = how, .in = -1 };
	if (code == sleeper)
		m->in = eventfd(0, EFD_CLOEXEC);
	m->out = eventfd(0, EFD_CLOEXEC);
	config.irqchip = AXVM_IRQCHIP_KERNEL;
	check(axvm_new(&config, &m->vm));
	memory.len = GUEST_MEMORY;
	check(axvm_map(m->vm, &memory));
	check(axvm_write(m->vm, GUEST_CODE, code, len));
	write_idt(m->vm);
	check(axvcpu_new(m->vm, NULL, &m->vcpu));
	setup.stack = GUEST_STACK;
	setup.boot_gpa = GUEST_BOOT;
	setup.boot_size = GUEST_BOOT_SIZE;
	check(axvcpu_setup(m->vcpu, GUEST_CODE, 0, &setup));
	m->run_size = (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	close(kvm);
	m->run = mmap(NULL, m->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, axvcpu_fd(m->vcpu), 0);
	if (m->run == MAP_FAILED)
		die("mmap: %s", strerror(errno));
	if (how == AXVCPU)
		tie_axvcpu(m);
	else
		tie_raw(m);
}

static void machine_free(struct machine *m)
{
	munmap(m->run, m->run_size);
	check(axvcpu_free(m->vcpu));
	check(axvm_free(m->vm));
	close(m->out);
	if (m->in >= 0)
		close(m->in);
}

/* Runs to the next exit but those of signals. The port that was written to; 0: told to stop. */
static unsigned int run_machine(struct machine *m)
{
	struct axvcpu_exit exit;

	while (!atomic_load(&m->stop)) {
		if (m->how == AXVCPU) {
			check(axvcpu_run(m->vcpu, &exit));
			if (exit.kind == AXVCPU_EXIT_IO_WRITE)
				return exit.u.io.port;
		} else if (!ioctl(axvcpu_fd(m->vcpu), KVM_RUN, 0)) {
			if (m->run->exit_reason == KVM_EXIT_IO)
				return m->run->io.port;
			die("unexpected exit reason %u", m->run->exit_reason);
		}
	}
	return 0;
}

static void *run_thread(void *arg)
{
	struct machine *m = arg;

	m->tid = gettid();
	if (m->how == AXVCPU)
		check(axvcpu_bind(m->vcpu));
	if (run_machine(m))
		die("the guest has written to a port that is no eventfd's");
	if (m->how == AXVCPU)
		check(axvcpu_unbind(m->vcpu));
	return NULL;
}

static void stop_thread(struct machine *m)
{
	atomic_store(&m->stop, true);
	__atomic_store_n(&m->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	if (m->how == AXVCPU)
		check(axvcpu_kick(m->vcpu));
	else
		syscall(SYS_tgkill, getpid(), m->tid, SIGUSR1);
	pthread_join(m->thread, NULL);
}

static void wait_for_event(int fd)
{
	uint64_t value;

	if (read(fd, &value, sizeof(value)) != sizeof(value))
		die("eventfd: %s", strerror(errno));
}

/* An interrupt by an irqfd, and the guest's answer to it by an ioeventfd. */
static double round_trip(struct machine *m)
{
	const uint64_t one = 1;
	double start = now_ns();

	if (write(m->in, &one, sizeof(one)) != sizeof(one))
		die("eventfd: %s", strerror(errno));
	wait_for_event(m->out);
	return now_ns() - start;
}

static void print_pair(const char *what, double *ns[HOWS], size_t n)
{
	double p50[HOWS], p99[HOWS];

	printf("\n%-22s    p50 ns    p99 ns\n", what);
	for (int how = 0; how < HOWS; how++) {
		p50[how] = quantile(ns[how], n, 0.5);
		p99[how] = quantile(ns[how], n, 0.99);
		printf("  %-20s %9.0f %9.0f\n", how_names[how], p50[how], p99[how]);
	}
	printf("  %-20s %9.2f %9.2f\n", "ratio", p50[AXVCPU] / p50[RAW], p99[AXVCPU] / p99[RAW]);
}

static void measure_round_trips(double *ns[HOWS])
{
	struct machine machines[HOWS];

	for (int how = 0; how < HOWS; how++) {
		struct machine *m = &machines[how];

		machine_new(m, (enum how)how, sleeper, sizeof(sleeper));
		if (pthread_create(&m->thread, NULL, run_thread, m))
			die("no thread");
		wait_for_event(m->out);
	}
	for (unsigned int i = 0; i < ROUNDS * HOWS; i++)
		ns[i % HOWS][i / HOWS] = round_trip(&machines[i % HOWS]);
	for (int how = 0; how < HOWS; how++) {
		stop_thread(&machines[how]);
		machine_free(&machines[how]);
	}
	print_pair("irqfd to ioeventfd", ns, ROUNDS);
}

static void measure_writes(double *ns[HOWS])
{
	const size_t rounds = ROUNDS / 20;
	struct machine machines[HOWS];

	for (int how = 0; how < HOWS; how++)
		machine_new(&machines[how], (enum how)how, writer, sizeof(writer));
	check(axvcpu_bind(machines[AXVCPU].vcpu));
	for (size_t i = 0; i < rounds * HOWS; i++) {
		double start = now_ns();

		if (run_machine(&machines[i % HOWS]) != DONE)
			die("the guest has written to a port that is no eventfd's");
		ns[i % HOWS][i / HOWS] = (now_ns() - start) / WRITES;
	}
	check(axvcpu_unbind(machines[AXVCPU].vcpu));
	for (int how = 0; how < HOWS; how++)
		machine_free(&machines[how]);
	print_pair("write to ioeventfd", ns, rounds);
}

int main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	double *ns[HOWS] = { malloc(ROUNDS * sizeof(double)), malloc(ROUNDS * sizeof(double)) };
	unsigned int kicks = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : KICKS;

	if (argc > 2 || kicks < HOWS * TURN)
		die("usage: kick [KICKS]");
	if (!ns[AXVCPU] || !ns[RAW])
		die("out of memory");
	sigaction(SIGUSR1, &action, NULL);
	measure_kicks(kicks);
	measure_round_trips(ns);
	measure_writes(ns);
	free(ns[AXVCPU]);
	free(ns[RAW]);
	return 0;
}
