/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "info.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "guest.h"

/* Asked of a VM, which answers for /dev/kvm, too. */
#define KVM_CAP_NR_VCPUS 9
#define KVM_CAP_MAX_VCPUS 66

const char *info_speed(const struct info *info)
{
	if (info->obstacle.code)
		return "none";
	return info->mips < SLOW_MIPS ? "slow" : "fast";
}

static const char *arm64_flavour(const struct host *host)
{
	if (host->guest_ptimer)
		return "vhe";
	return host->guest_vtimer ? "nvhe" : "unknown";
}

const char *info_flavour(const struct info *info, const struct host *host)
{
	if (info->mips < SLOW_MIPS)
		return "interpreted";
	if (!strcmp(info->arch, "riscv64"))
		return "h";
	if (!strcmp(info->arch, "arm64"))
		return arm64_flavour(host);
	if (host->vmx)
		return "vmx";
	return host->svm ? "svm" : "unknown";
}

static unsigned int read_capability(struct axvm *vm, unsigned int number)
{
	int value = axvm_capability(vm, number);

	return value > 0 ? (unsigned int)value : 0;
}

/* Only /dev/kvm itself reports these. */
static unsigned int read_levels(void)
{
	struct axpercpu percpu = AXPERCPU_INIT;
	int levels = -1;

	if (!axpercpu_init(&percpu, 0, NULL) && !axpercpu_enable(&percpu))
		levels = axpercpu_guest_page_table_levels(&percpu);
	axpercpu_destroy(&percpu);
	return levels > 0 ? (unsigned int)levels : 0;
}

static void read_features(struct info *info, struct axvm *vm, int kvm_fd)
{
	for (int i = 0; irqchip_trials[i].name; i++)
		info->irqchips[i] = is_on_host(irqchip_trials[i].on) &&
				    trial_succeeds(&irqchip_trials[i], kvm_fd);
	for (int i = 0; forward_trials[i].name; i++)
		info->forwards[i] = is_on_host(forward_trials[i].on) &&
				    trial_succeeds(&forward_trials[i], kvm_fd);
	for (int i = 0; capabilities[i].name; i++)
		if (is_on_host(capabilities[i].on))
			info->capabilities[i] = capability_value(&capabilities[i], vm);
	info->limits = (struct axvm_limits)AXVM_LIMITS_INIT;
	axvm_get_limits(vm, &info->limits);
	info->max_vcpus = read_capability(vm, KVM_CAP_MAX_VCPUS);
	info->recommended_vcpus = read_capability(vm, KVM_CAP_NR_VCPUS);
	info->levels = read_levels();
}

/* KVM counts as usable only if a guest runs, so its exits are always measured. */
static int measure(struct info *info, struct guest *guest, struct axvm *vm)
{
	int ret = guest_new(guest, vm);

	info->exit_name = guest->exit_name;
	if (ret)
		return ret;
	ret = guest_measure_exit(guest, &info->exit_ns);
	if (ret || info->mips > 0)
		return ret;
	return guest_measure_mips(guest, SLOW_MIPS, &info->mips);
}

static void run_guest(struct info *info, struct axvm *vm)
{
	struct guest guest;

	if (measure(info, &guest, vm))
		obstacle_guest(&info->obstacle, axvcpu_last_error());
	guest_free(&guest);
}

static void read_kvm(struct info *info, const struct host *host, int kvm_fd, bool only_speed)
{
	struct axvm_config config = AXVM_CONFIG_INIT;
	struct axvm *vm;
	int ret;

	config.flags = AXVM_F_KVM_FD;
	config.kvm_fd = kvm_fd;
	ret = axvm_new(&config, &vm);
	if (ret) {
		obstacle_vm(&info->obstacle, host, ret, axvcpu_last_error());
		return;
	}
	if (!only_speed)
		read_features(info, vm, kvm_fd);
	run_guest(info, vm);
	info->flavour = info_flavour(info, host);
	axvm_free(vm);
}

void info_read(struct info *info, const char *device, double mips, bool only_speed)
{
	struct host host;
	int fd = -1;

	*info = (struct info){
		.arch = axvcpu_host_arch()->name,
		.device = device,
		.mips = mips,
	};
	host_read(&host, info->arch, device);
	/* Opening anything but a device node may block or have side effects. */
	errno = ENOENT;
	if (host.is_character_device || !host.exists)
		fd = open(device, O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		obstacle_open(&info->obstacle, &host, errno);
		return;
	}
	read_kvm(info, &host, fd, only_speed);
	close(fd);
}
