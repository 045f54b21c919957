/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "obstacle.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <axvcpu/axvcpu.h>

#define DMESG "'dmesg | grep -i kvm' may say why; a sandbox may forbid it.\n"
#define NODE \
	"It must be character device 10, 232, which udev creates when the module kvm is loaded.\n"

AXVCPU_PRINTF(3, 4)
static void set(struct obstacle *obstacle, const char *code, const char *why, ...)
{
	va_list args;

	obstacle->code = code;
	va_start(args, why);
	vsnprintf(obstacle->why, sizeof(obstacle->why), why, args);
	va_end(args);
}

AXVCPU_PRINTF(2, 3)
static void advise(struct obstacle *obstacle, const char *text, ...)
{
	va_list args;

	va_start(args, text);
	vsnprintf(obstacle->advice, sizeof(obstacle->advice), text, args);
	va_end(args);
}

/* --- no device -------------------------------------------------------------------------------- */

static void no_module(struct obstacle *obstacle, const struct host *host, const char *module)
{
	if (host->container) {
		set(obstacle, "module_not_loaded",
		    "there is no %s, module %s is not loaded, and this is a container",
		    host->device, module);
		advise(obstacle,
		       "On the host: sudo modprobe %s; then start the container with --device "
		       "/dev/kvm.\n",
		       module);
		return;
	}
	set(obstacle, "module_not_loaded", "there is no %s: the kernel module %s is not loaded",
	    host->device, module);
	advise(obstacle,
	       "sudo modprobe %s\n"
	       "If that fails, 'dmesg | grep -i kvm' says why: most often virtualization is turned\n"
	       "off in the firmware's setup, or another hypervisor uses it.\n",
	       module);
}

static void no_device_x86(struct obstacle *obstacle, const struct host *host)
{
	if (host->vmx || host->svm) {
		no_module(obstacle, host, host->vmx ? "kvm_intel" : "kvm_amd");
	} else if (host->hypervisor) {
		set(obstacle, "no_nested_virtualization",
		    "this is a virtual machine without nested virtualization");
		advise(obstacle,
		       "/proc/cpuinfo shows neither vmx nor svm. Turn nested virtualization on in\n"
		       "the host (kvm_intel or kvm_amd: nested=1) and give this machine the host's\n"
		       "CPU (QEMU: -cpu host; libvirt: host-passthrough), or use real hardware.\n"
		       "Clouds offer it for some machine types only.\n");
	} else {
		set(obstacle, "no_extension",
		    "the CPU shows no virtualization extension (no vmx or svm in /proc/cpuinfo)");
		advise(obstacle, "Turn VT-x or AMD-V (SVM) on in the firmware's setup, if the CPU "
				 "has it.\n");
	}
}

static void no_device_arm64(struct obstacle *obstacle, const struct host *host)
{
	set(obstacle, "no_el2", "there is no %s: the kernel has no KVM, or was not started at EL2",
	    host->device);
	advise(obstacle,
	       "Firmware must start it at EL2 (QEMU: -M virt,virtualization=on; 'dmesg | grep -i\n"
	       "kvm' says more); in a virtual machine KVM needs nested virtualization.\n");
}

static void no_device_riscv64(struct obstacle *obstacle, const struct host *host)
{
	if (host->h_extension) {
		no_module(obstacle, host, "kvm");
		return;
	}
	set(obstacle, "no_extension",
	    "the CPU has no hypervisor extension (no h in the isa line of /proc/cpuinfo)");
	advise(obstacle, "Use a CPU that has it; QEMU: -cpu rv64,h=true\n");
}

static void no_device(struct obstacle *obstacle, const struct host *host)
{
	if (host->has_kvm && host->exists) {
		set(obstacle, "not_kvm", "%s is not the device node of KVM", host->device);
		advise(obstacle, NODE);
	} else if (host->has_kvm && host->container) {
		set(obstacle, "not_in_container",
		    "this container has no %s, although the kernel has KVM", host->device);
		advise(obstacle, "Start the container with --device /dev/kvm.\n");
	} else if (host->has_kvm) {
		set(obstacle, "no_node", "the kernel has KVM, but there is no device node %s",
		    host->device);
		advise(obstacle, "As root: mknod %s c 10 232\n", host->device);
	} else if (!strcmp(host->arch, "arm64")) {
		no_device_arm64(obstacle, host);
	} else if (!strcmp(host->arch, "riscv64")) {
		no_device_riscv64(obstacle, host);
	} else {
		no_device_x86(obstacle, host);
	}
}

/* --- no permission ---------------------------------------------------------------------------- */

static void no_permission(struct obstacle *obstacle, const struct host *host, int err)
{
	const bool group_may = (host->mode & 060) == 060;

	if (host->root || (group_may && host->member_now)) {
		set(obstacle, "forbidden", "%s%s may not open %s: %s", host->root ? "" : "user ",
		    host->user, host->device, strerror(err));
		advise(obstacle,
		       "A container or sandbox forbids it: start it with --device /dev/kvm.\n");
	} else if (!group_may) {
		set(obstacle, "mode", "user %s may not open %s: its mode %03o allows only root",
		    host->user, host->device, (unsigned int)host->mode & 0777);
		advise(obstacle,
		       "sudo chgrp kvm %s; sudo chmod 660 %s; and join the group kvm,\n"
		       "or run this as root.\n",
		       host->device, host->device);
	} else if (host->member) {
		set(obstacle, "login",
		    "user %s was added to group %s, but has not logged in again since", host->user,
		    host->group);
		advise(obstacle, "Log in again, or: newgrp %s\n", host->group);
	} else if (host->container) {
		set(obstacle, "group", "user %s may not open %s: it is for group %s", host->user,
		    host->device, host->group);
		advise(obstacle,
		       "Start the container with that group: docker --group-add with its number,\n"
		       "rootless podman --group-add keep-groups; or run this as root.\n");
	} else {
		set(obstacle, "group", "user %s may not open %s: it is for group %s", host->user,
		    host->device, host->group);
		advise(obstacle, "sudo usermod -aG %s %s\nand log in again; or run this as root.\n",
		       host->group, host->user);
	}
}

/* --- public functions ------------------------------------------------------------------------- */

void obstacle_open(struct obstacle *obstacle, const struct host *host, int err)
{
	if (host->exists && !host->is_character_device) {
		set(obstacle, "not_kvm", "%s is not a character device", host->device);
		advise(obstacle, NODE);
		return;
	}
	switch (err) {
	case ENOENT:
	case ENOTDIR:
	case ENXIO:
	case ENODEV:
		no_device(obstacle, host);
		break;
	case EACCES:
	case EPERM:
		no_permission(obstacle, host, err);
		break;
	default:
		set(obstacle, "other", "%s cannot be opened: %s", host->device, strerror(err));
		advise(obstacle, DMESG);
	}
}

void obstacle_vm(struct obstacle *obstacle, const struct host *host, int ret, const char *message)
{
	switch (ret) {
	case -ENODEV:
		set(obstacle, "not_kvm", "%s can be opened, but is not KVM", host->device);
		advise(obstacle, NODE);
		break;
	case -ENOTSUP:
		set(obstacle, "too_old", "this KVM is too old: %s", message);
		advise(obstacle, "Use Linux 4.11 or later.\n");
		break;
	case -EBUSY:
		set(obstacle, "busy", "KVM cannot create a virtual machine: %s", message);
		advise(obstacle, "Another hypervisor (VirtualBox, VMware) uses the CPU's "
				 "virtualization: stop it.\n");
		break;
	case -ENOMEM:
		set(obstacle, "memory", "KVM cannot create a virtual machine: %s", message);
		advise(obstacle, "Give the machine more memory, or stop other virtual machines.\n");
		break;
	default:
		set(obstacle, "other", "KVM cannot create a virtual machine: %s", message);
		advise(obstacle, DMESG);
	}
}

void obstacle_guest(struct obstacle *obstacle, const char *message)
{
	set(obstacle, "guest", "a test guest of four instructions does not run: %s", message);
	advise(obstacle, DMESG);
}
