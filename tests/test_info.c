/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* axvcpu-info: why KVM cannot be used; fast or slow; the names of its JSON. Needs no KVM. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../examples/axvcpu-info/info.h"
#include "../examples/axvcpu-info/report.h"
#include "suite.h"

/* --- obstacles -------------------------------------------------------------------------------- */

static const struct host x86 = { .arch = "x86_64", .device = "/dev/kvm" };

/* A device that is there, for group kvm, and a user who is in no group. */
static const struct host user = { .arch = "x86_64",
				  .device = "/dev/kvm",
				  .exists = true,
				  .is_character_device = true,
				  .mode = 0660,
				  .group = "kvm",
				  .user = "me" };

static void check_open(const struct host *host, int err, const char *code, const char *advice)
{
	struct obstacle obstacle = { 0 };

	obstacle_open(&obstacle, host, err);
	ck_assert_str_eq(obstacle.code, code);
	ck_assert_str_ne(obstacle.why, "");
	ck_assert_msg(strstr(obstacle.advice, advice), "%s: the advice is \"%s\"", code,
		      obstacle.advice);
	ck_assert_int_eq(obstacle.advice[strlen(obstacle.advice) - 1], '\n');
}

START_TEST(a_missing_device_names_the_missing_link)
{
	struct host host = x86;

	check_open(&host, ENOENT, "no_extension", "firmware");
	host.hypervisor = true;
	check_open(&host, ENOENT, "no_nested_virtualization", "nested=1");
	host.svm = true;
	check_open(&host, ENOENT, "module_not_loaded", "sudo modprobe kvm_amd");
	host.svm = false;
	host.vmx = true;
	check_open(&host, ENOENT, "module_not_loaded", "sudo modprobe kvm_intel");
	host.container = true;
	check_open(&host, ENOENT, "module_not_loaded", "On the host: sudo modprobe kvm_intel");
	host.has_kvm = true;
	check_open(&host, ENOENT, "not_in_container", "--device /dev/kvm");
	host.container = false;
	check_open(&host, ENOENT, "no_node", "mknod /dev/kvm c 10 232");
}
END_TEST

START_TEST(a_node_without_a_driver_is_a_module_that_is_not_loaded)
{
	struct host host = user;

	host.vmx = true;
	check_open(&host, ENXIO, "module_not_loaded", "kvm_intel");
	check_open(&host, ENODEV, "module_not_loaded", "kvm_intel");
	host.has_kvm = true;
	check_open(&host, ENXIO, "not_kvm", "character device 10, 232");
}
END_TEST

START_TEST(a_missing_device_of_other_architectures_has_other_links)
{
	struct host host = { .arch = "arm64", .device = "/dev/kvm" };

	check_open(&host, ENOENT, "no_el2", "virtualization=on");
	host.arch = "riscv64";
	check_open(&host, ENOENT, "no_extension", "h=true");
	host.h_extension = true;
	check_open(&host, ENOENT, "module_not_loaded", "sudo modprobe kvm\n");
}
END_TEST

START_TEST(a_missing_permission_names_the_missing_group)
{
	struct host host = user;

	check_open(&host, EACCES, "group", "usermod -aG kvm me");
	host.container = true;
	check_open(&host, EACCES, "group", "--group-add");
	host.member = true;
	check_open(&host, EACCES, "login", "newgrp kvm");
	host.member_now = true;
	check_open(&host, EACCES, "forbidden", "sandbox");
	host.mode = 0600;
	check_open(&host, EACCES, "mode", "chmod 660 /dev/kvm");
	host.root = true;
	check_open(&host, EPERM, "forbidden", "--device /dev/kvm");
}
END_TEST

START_TEST(a_file_that_is_no_device_is_not_kvm)
{
	struct host host = user;

	host.is_character_device = false;
	check_open(&host, ENOENT, "not_kvm", "character device 10, 232");
	check_open(&user, EMFILE, "other", "dmesg");
}
END_TEST

START_TEST(a_vm_that_cannot_be_created_says_why)
{
	static const struct {
		int ret;
		const char *code;
		const char *why;
		const char *advice;
	} cases[] = {
		{ -ENODEV, "not_kvm", "/dev/kvm", "10, 232" },
		{ -ENOTSUP, "too_old", "the message", "Linux 4.11" },
		{ -EBUSY, "busy", "the message", "Another hypervisor" },
		{ -ENOMEM, "memory", "the message", "more memory" },
		{ -EIO, "other", "the message", "dmesg" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct obstacle obstacle = { 0 };

		obstacle_vm(&obstacle, &user, cases[i].ret, "the message");
		ck_assert_str_eq(obstacle.code, cases[i].code);
		ck_assert_ptr_nonnull(strstr(obstacle.why, cases[i].why));
		ck_assert_ptr_nonnull(strstr(obstacle.advice, cases[i].advice));
	}
}
END_TEST

/* --- /proc/cpuinfo ---------------------------------------------------------------------------- */

START_TEST(a_flag_is_a_whole_word_of_the_line_of_flags)
{
	const char *text = "model name\t: svm\nflags\t\t: fpu vmx_no svm\nbugs\t: vmx\n";

	ck_assert(cpuinfo_has_flag(text, "svm"));
	ck_assert(cpuinfo_has_flag(text, "fpu"));
	ck_assert(!cpuinfo_has_flag(text, "vmx"));
	ck_assert(!cpuinfo_has_flag("", "vmx"));
	ck_assert(!cpuinfo_has_flag("vmx flags\n", "vmx"));
}
END_TEST

START_TEST(an_extension_of_one_letter_is_not_part_of_a_name)
{
	ck_assert(cpuinfo_has_letter("hart\t: 0\nisa\t\t: rv64imafdch_zicbom\nmmu : h\n", 'h'));
	ck_assert(!cpuinfo_has_letter("isa\t\t: rv64imafdc_zihpm_h\nhart isa : rv64h\n", 'h'));
	ck_assert(!cpuinfo_has_letter("isa\t\t: rv32imah\nnext: rv64h\n", 'h'));
	ck_assert(!cpuinfo_has_letter("", 'h'));
}
END_TEST

/* --- fast or slow ----------------------------------------------------------------------------- */

START_TEST(below_ten_million_instructions_a_second_kvm_interprets)
{
	struct host host = { .svm = true, .guest_vtimer = true };
	struct info info = { .arch = "x86_64", .mips = 9.99 };

	ck_assert_str_eq(info_speed(&info), "slow");
	ck_assert_str_eq(info_flavour(&info, &host), "interpreted");
	info.mips = 10;
	ck_assert_str_eq(info_speed(&info), "fast");
	ck_assert_str_eq(info_flavour(&info, &host), "svm");
	info.obstacle.code = "group";
	ck_assert_str_eq(info_speed(&info), "none");
}
END_TEST

START_TEST(the_flavour_is_that_of_the_hardware)
{
	struct host host = { .vmx = true };
	struct info info = { .arch = "x86_64", .mips = 100 };

	ck_assert_str_eq(info_flavour(&info, &host), "vmx");
	host.vmx = false;
	ck_assert_str_eq(info_flavour(&info, &host), "unknown");
	info.arch = "arm64";
	ck_assert_str_eq(info_flavour(&info, &host), "unknown");
	host.guest_vtimer = true;
	ck_assert_str_eq(info_flavour(&info, &host), "nvhe");
	host.guest_ptimer = true;
	ck_assert_str_eq(info_flavour(&info, &host), "vhe");
	info.arch = "riscv64";
	ck_assert_str_eq(info_flavour(&info, &host), "h");
}
END_TEST

/* --- JSON ------------------------------------------------------------------------------------- */

/* docs/info.md, or NULL where the test runs without the source tree. */
static char *read_page(void)
{
	const char *top = getenv("top_srcdir");
	char path[4096];
	FILE *file;
	char *text = NULL;
	size_t size = 0;

	snprintf(path, sizeof(path), "%s/docs/info.md", top ? top : ".");
	file = fopen(path, "r");
	if (!file)
		return NULL;
	ck_assert_int_gt(getdelim(&text, &size, '\0', file), 0);
	fclose(file);
	return text;
}

static void check_documented(const char *page, const char *name)
{
	char quoted[80];

	snprintf(quoted, sizeof(quoted), "`%s`", name);
	ck_assert_msg(strstr(page, quoted), "docs/info.md lacks %s", quoted);
}

/* Each name that stands in the report before a colon. */
static void check_report(const char *page, const struct info *info)
{
	char *text, *name, *end;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	report_json(info, file);
	fclose(file);
	ck_assert_int_eq(text[size - 1], '\n');
	ck_assert_ptr_eq(strchr(text, '\n'), text + size - 1);
	for (name = strchr(text, '"'); name; name = strchr(end + 1, '"')) {
		end = strchr(++name, '"');
		ck_assert_ptr_nonnull(end);
		*end = '\0';
		if (end[1] == ':')
			check_documented(page, name);
	}
	free(text);
}

START_TEST(every_name_is_documented)
{
	static const char *const words[] = { "fast", "slow",	"none",	      "vmx",
					     "svm",  "vhe",	"nvhe",	      "interpreted",
					     "h",    "unknown", "port_write", "mmio_write" };
	static const char *const codes[] = { "no_extension",
					     "no_nested_virtualization",
					     "module_not_loaded",
					     "not_in_container",
					     "no_node",
					     "no_el2",
					     "group",
					     "login",
					     "mode",
					     "forbidden",
					     "not_kvm",
					     "too_old",
					     "busy",
					     "memory",
					     "guest",
					     "other" };
	struct info info = { .arch = "x86_64", .device = "/dev/kvm", .flavour = "svm" };
	char *page = read_page();

	if (!page) {
		suite_skip("there is no docs/info.md here");
		return;
	}
	info.exit_name = "port_write";
	check_report(page, &info);
	info.obstacle.code = "other";
	check_report(page, &info);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		check_documented(page, words[i]);
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		check_documented(page, codes[i]);
	/* Those of other architectures, too. */
	for (int i = 0; irqchip_trials[i].name; i++)
		check_documented(page, irqchip_trials[i].name);
	for (int i = 0; forward_trials[i].name; i++)
		check_documented(page, forward_trials[i].name);
	for (int i = 0; capabilities[i].name; i++)
		check_documented(page, capabilities[i].name);
	free(page);
}
END_TEST

static void add_tests(Suite *suite)
{
	TCase *tcase = suite_case(suite, "info");

	tcase_add_test(tcase, a_missing_device_names_the_missing_link);
	tcase_add_test(tcase, a_node_without_a_driver_is_a_module_that_is_not_loaded);
	tcase_add_test(tcase, a_missing_device_of_other_architectures_has_other_links);
	tcase_add_test(tcase, a_missing_permission_names_the_missing_group);
	tcase_add_test(tcase, a_file_that_is_no_device_is_not_kvm);
	tcase_add_test(tcase, a_vm_that_cannot_be_created_says_why);
	tcase_add_test(tcase, a_flag_is_a_whole_word_of_the_line_of_flags);
	tcase_add_test(tcase, an_extension_of_one_letter_is_not_part_of_a_name);
	tcase_add_test(tcase, below_ten_million_instructions_a_second_kvm_interprets);
	tcase_add_test(tcase, the_flavour_is_that_of_the_hardware);
	tcase_add_test(tcase, every_name_is_documented);
}

int main(void)
{
	return suite_main("info", false, add_tests);
}
