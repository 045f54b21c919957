/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "report.h"

#include <string.h>

#include "../axrun/json.h"

/* --- text ------------------------------------------------------------------------------------- */

static void write_obstacle(const struct obstacle *obstacle, FILE *file)
{
	const char *line = obstacle->advice;

	fprintf(file, "KVM is not usable: %s.\n", obstacle->why);
	while (*line) {
		size_t len = strcspn(line, "\n");

		fprintf(file, "  %.*s\n", (int)len, line);
		line += len + 1;
	}
}

static const char *describe_flavour(const char *flavour)
{
	static const struct {
		const char *flavour;
		const char *text;
	} texts[] = {
		{ "vmx", "Intel VT-x (VMX)" },
		{ "svm", "AMD-V (SVM)" },
		{ "vhe", "VHE: the host kernel runs at EL2" },
		{ "nvhe", "nVHE: the host kernel runs at EL1" },
		{ "h", "hypervisor extension (H)" },
		{ "interpreted", "interpreted: software executes the guest's instructions" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!strcmp(texts[i].flavour, flavour))
			return texts[i].text;
	return "unknown";
}

/* Prints the names of those that are supported, then of those that are not. */
static void write_trials(const char *title, const struct trial *trials, const bool *there,
			 FILE *file)
{
	fprintf(file, "  %-20s ", title);
	for (int pass = 1; pass >= 0; pass--) {
		const char *before = pass ? "" : "; not ";

		for (int i = 0; trials[i].name; i++) {
			if (!is_on_host(trials[i].on) || there[i] != pass)
				continue;
			fprintf(file, "%s%s", before, trials[i].name);
			before = ", ";
		}
		if (pass && !*before)
			fprintf(file, "none");
	}
	fprintf(file, "\n");
}

static void write_number(const char *title, unsigned int value, const char *unit, FILE *file)
{
	fprintf(file, "  %-20s %u%s\n", title, value, unit);
}

static void write_limits(const struct info *info, FILE *file)
{
	write_number("guest-physical", info->limits.gpa_bits, " bits", file);
	if (info->levels)
		write_number("page-table levels", info->levels, "", file);
	fprintf(file, "  %-20s %u; recommended: %u\n", "vCPUs", info->max_vcpus,
		info->recommended_vcpus);
	write_number("memory slots", info->limits.regions, "", file);
	write_number("page size", info->limits.page_size, " bytes", file);
}

static void write_capabilities(const struct info *info, FILE *file)
{
	fprintf(file, "  capabilities:\n");
	for (int i = 0; capabilities[i].name; i++) {
		unsigned int value = info->capabilities[i];
		char text[16];

		if (!is_on_host(capabilities[i].on))
			continue;
		if (value > 1)
			snprintf(text, sizeof(text), "%u", value);
		else
			snprintf(text, sizeof(text), "%s", value ? "yes" : "no");
		fprintf(file, "    %-22s %-10s %s\n", capabilities[i].name, text,
			capabilities[i].text);
	}
}

void report_text(const struct info *info, FILE *file)
{
	if (info->obstacle.code) {
		write_obstacle(&info->obstacle, file);
		return;
	}
	fprintf(file, "KVM is usable: %s, %s.\n", info->arch, info->device);
	fprintf(file, "  %-20s %s\n", "flavour", describe_flavour(info->flavour));
	fprintf(file, "  %-20s %s: %.1f million instructions per second\n", "speed",
		info_speed(info), info->mips);
	fprintf(file, "  %-20s %.0f ns (%s)\n", "exit", info->exit_ns, info->exit_name);
	write_limits(info, file);
	write_trials("irqchips", irqchip_trials, info->irqchips, file);
	write_trials("forwards", forward_trials, info->forwards, file);
	write_capabilities(info, file);
}

void report_speed(const struct info *info)
{
	printf("%s\n", info_speed(info));
	if (info->obstacle.code)
		write_obstacle(&info->obstacle, stderr);
	else if (info->mips < SLOW_MIPS)
		fprintf(stderr,
			"KVM is usable, but interprets guest code: %.1f million instructions per "
			"second.\n",
			info->mips);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static void json_trials(struct json *json, const char *name, const struct trial *trials,
			const bool *there)
{
	json_object(json, name);
	for (int i = 0; trials[i].name; i++)
		if (is_on_host(trials[i].on))
			json_bool(json, trials[i].name, there[i]);
	json_end(json);
}

static void json_usable(struct json *json, const struct info *info)
{
	json_string(json, "flavour", info->flavour);
	json_real(json, "mips", info->mips);
	json_real(json, "exit_ns", info->exit_ns);
	json_string(json, "exit", info->exit_name);
	json_number(json, "gpa_bits", info->limits.gpa_bits);
	json_number(json, "page_table_levels", info->levels);
	json_number(json, "max_vcpus", info->max_vcpus);
	json_number(json, "recommended_vcpus", info->recommended_vcpus);
	json_number(json, "memory_slots", info->limits.regions);
	json_number(json, "page_size", info->limits.page_size);
	json_trials(json, "irqchips", irqchip_trials, info->irqchips);
	json_trials(json, "forwards", forward_trials, info->forwards);
	json_object(json, "capabilities");
	for (int i = 0; capabilities[i].name; i++)
		if (is_on_host(capabilities[i].on))
			json_number(json, capabilities[i].name, info->capabilities[i]);
	json_end(json);
}

void report_json(const struct info *info, FILE *file)
{
	struct json json;

	json_start(&json, file);
	json_string(&json, "version", axvcpu_version());
	json_string(&json, "arch", info->arch);
	json_string(&json, "device", info->device);
	json_bool(&json, "usable", !info->obstacle.code);
	json_string(&json, "speed", info_speed(info));
	if (info->obstacle.code) {
		json_string(&json, "obstacle", info->obstacle.code);
		json_string(&json, "message", info->obstacle.why);
		json_string(&json, "advice", info->obstacle.advice);
	} else {
		json_usable(&json, info);
	}
	json_end(&json);
	fputc('\n', file);
}
