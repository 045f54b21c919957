/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Leaves a process behind that holds VMs which do nothing, until it is killed.
 *
 * Linux patches its own code whenever KVM's first VM comes or its last one goes, and likewise for vCPUs
 * with and without a LAPIC, with a LAPIC that is off, and for guests of Xen. Tests make and free VMs
 * all the time, so in an emulated machine with several CPUs that is when one CPU runs what another is
 * changing, which QEMU does not always get right. While these VMs are there, nothing is patched.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define APIC_BASE UINT64_C(0xfee00000)

/* Returns a descriptor; the process continues if KVM refuses. */
static int must(int fd, const char *what)
{
	if (fd < 0)
		perror(what);
	return fd;
}

/* Without a LAPIC. A Xen guest, as KVM forwards hypercalls by its Xen support. */
static void keep_plain(int kvm)
{
	struct kvm_xen_hvm_config xen = { .flags = KVM_XEN_HVM_CONFIG_INTERCEPT_HCALL };
	int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");

	must(ioctl(vm, KVM_XEN_HVM_CONFIG, &xen), "KVM_XEN_HVM_CONFIG");
	must(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
}

/* With one that software has not switched on, as after a reset, and one that is off altogether. */
static void keep_lapics(int kvm)
{
	int vm = must(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
	struct kvm_sregs sregs;
	int vcpu;

	must(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	must(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
	vcpu = must(ioctl(vm, KVM_CREATE_VCPU, 1), "KVM_CREATE_VCPU");
	must(ioctl(vcpu, KVM_GET_SREGS, &sregs), "KVM_GET_SREGS");
	sregs.apic_base = APIC_BASE;
	must(ioctl(vcpu, KVM_SET_SREGS, &sregs), "KVM_SET_SREGS");
}

/* Ends when the other one is complete. */
static int pipe_fds[2];

static pid_t fork_and_wait(void)
{
	pid_t pid;
	char end;

	if (pipe(pipe_fds))
		return -1;
	pid = fork();
	if (pid > 0) {
		close(pipe_fds[1]);
		/* It closes its end. */
		while (read(pipe_fds[0], &end, 1) > 0)
			;
	}
	return pid;
}

static _Noreturn void tell_and_stay(void)
{
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	for (;;)
		pause();
}

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	if (must(kvm, "/dev/kvm") < 0)
		return 1;
	/* First the process: a VM is of the one that makes it. */
	switch (fork_and_wait()) {
	case -1:
		perror("fork");
		return 1;
	case 0:
		keep_plain(kvm);
		keep_lapics(kvm);
		tell_and_stay();
	}
	return 0;
}
