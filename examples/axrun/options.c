/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <axvcpu/axvcpu.h>

#include "guests.h"
#include "kernel.h"
#include "message.h"
#include "parse.h"
#include "saved.h"
#include "suggest.h"

enum option_id {
	OPTION_APPEND = 256,
	OPTION_CLONE,
	OPTION_CPU_LIST,
	OPTION_CPUS,
	OPTION_DROP_PRIVILEGES,
	OPTION_DUMP_ACPI,
	OPTION_DUMP_DTB,
	OPTION_ENTRY,
	OPTION_HELP,
	OPTION_HUGE_PAGES,
	OPTION_INITRD,
	OPTION_IRQCHIP,
	OPTION_JSON,
	OPTION_KERNEL,
	OPTION_LIST,
	OPTION_LOAD,
	OPTION_LOG_LEVEL,
	OPTION_MEMORY,
	OPTION_MODE,
	OPTION_RAW_KEYS,
	OPTION_REBOOT,
	OPTION_REPEAT,
	OPTION_RESTORE,
	OPTION_SAVE,
	OPTION_SAVE_AT,
	OPTION_STATS,
	OPTION_TIMEOUT,
	OPTION_TRACE,
	OPTION_VERIFY,
	OPTION_VERSION,
};

static const struct option long_options[] = {
	{ "append", required_argument, NULL, OPTION_APPEND },
	{ "clone", required_argument, NULL, OPTION_CLONE },
	{ "cpu-list", required_argument, NULL, OPTION_CPU_LIST },
	{ "cpus", required_argument, NULL, OPTION_CPUS },
	{ "drop-privileges", optional_argument, NULL, OPTION_DROP_PRIVILEGES },
	{ "dump-acpi", required_argument, NULL, OPTION_DUMP_ACPI },
	{ "dump-dtb", required_argument, NULL, OPTION_DUMP_DTB },
	{ "entry", required_argument, NULL, OPTION_ENTRY },
	{ "help", no_argument, NULL, OPTION_HELP },
	{ "huge-pages", no_argument, NULL, OPTION_HUGE_PAGES },
	{ "initrd", required_argument, NULL, OPTION_INITRD },
	{ "irqchip", required_argument, NULL, OPTION_IRQCHIP },
	{ "json", optional_argument, NULL, OPTION_JSON },
	{ "kernel", required_argument, NULL, OPTION_KERNEL },
	{ "list", no_argument, NULL, OPTION_LIST },
	{ "load", required_argument, NULL, OPTION_LOAD },
	{ "log-level", required_argument, NULL, OPTION_LOG_LEVEL },
	{ "memory", required_argument, NULL, OPTION_MEMORY },
	{ "mode", required_argument, NULL, OPTION_MODE },
	{ "raw-keys", no_argument, NULL, OPTION_RAW_KEYS },
	{ "reboot", no_argument, NULL, OPTION_REBOOT },
	{ "repeat", required_argument, NULL, OPTION_REPEAT },
	{ "restore", required_argument, NULL, OPTION_RESTORE },
	{ "save", required_argument, NULL, OPTION_SAVE },
	{ "save-at", required_argument, NULL, OPTION_SAVE_AT },
	{ "stats", no_argument, NULL, OPTION_STATS },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "trace", no_argument, NULL, OPTION_TRACE },
	{ "verify", required_argument, NULL, OPTION_VERIFY },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 },
};

/* In two parts: a compiler need not take longer strings. */
static const char help[] =
	"Usage: axrun [OPTION]... GUEST [ARGUMENT]...\n"
	"       axrun [OPTION]... [--kernel] KERNEL [OPTION]...\n"
	"       axrun [OPTION]... --restore FILE\n"
	"Run GUEST, an ELF64, ELF32 or flat image, or a Linux KERNEL in a virtual machine.\n"
	"Standard input and output are the console of the guest. The ARGUMENTs are passed\n"
	"to it. A GUEST without a slash that is no file in the current directory is an\n"
	"example guest, from the directory in the environment variable " GUESTS_VARIABLE "\n"
	"or from " AXRUN_GUESTSDIR ".\n"
	"\n"
	"What to run:\n"
	"  --list             print the example guests\n"
	"  --kernel KERNEL    run this Linux kernel; not needed if the file is recognised\n"
	"                     as a kernel\n"
	"  --initrd FILE      initial RAM disk for the kernel\n"
	"  --append TEXT      command line of the kernel\n"
	"  --mode MODE        CPU mode: auto, 64, and on x86_64 32, 16 (real mode) or raw\n"
	"                     (state after reset); auto (default): 32 for ELF32 images,\n"
	"                     otherwise 64\n"
	"  --load GPA         load address of a flat image (default: 0x10000 above the\n"
	"                     start of memory; mode 16: 0x7c00; mode raw: it ends at 4 GiB)\n"
	"  --entry GPA        first instruction (default: entry point of an ELF image, load\n"
	"                     address of a flat image)\n"
	"\n"
	"The machine:\n"
	"  --memory SIZE      guest memory in bytes, or as in 512K, 64M, 3.5G or 1GiB, in\n"
	"                     powers of 1024 (default: 16M; for a kernel 256M)\n"
	"  --huge-pages       take guest memory from the host's pool of huge pages\n"
	"  --cpus N           number of virtual CPUs, 1 (default) to 64; the first one runs,\n"
	"                     and starts the others\n"
	"  --irqchip MODE     interrupt controllers: kernel (emulated by KVM: LAPICs and\n"
	"                     IOAPIC, GIC, or AIA), split (x86_64: only the LAPICs), or none\n"
	"                     (axrun injects interrupts); default: kernel for a Linux\n"
	"                     kernel, and on arm64 and riscv64 if the host supports it;\n"
	"                     otherwise none\n"
	"  --cpu-list LIST    host CPUs to run on, for example 0,2-3; several virtual CPUs\n"
	"                     are distributed over them\n"
	"  --reboot           start the machine again when the guest resets it\n"
	"  --dump-acpi DIR    write the ACPI tables for the kernel to directory DIR (x86_64)\n"
	"  --dump-dtb FILE    write the device tree for the guest to FILE (arm64, riscv64)\n"
	"\n";
static const char help_continued[] =
	"Checkpoints:\n"
	"  --save FILE        save the machine to FILE and end, on SIGUSR1 and on Ctrl-A s\n"
	"  --save-at WHEN     also save it when the guest writes to its doorbell (doorbell),\n"
	"                     or after this time in seconds; fractions are allowed\n"
	"  --restore FILE     run the machine that was saved to FILE; the only option of the\n"
	"                     machine that can be given is --cpu-list\n"
	"  --clone N          with --restore: run N such machines, 1 to 64, side by side; they\n"
	"                     share pages of memory, and have no input\n"
	"  --repeat N         run the guest N times from its first write to the doorbell to\n"
	"                     the second one, each time from the same state\n"
	"  --verify FILE      check all of a saved machine, and print what FILE contains\n"
	"\n"
	"Console, limits, privileges:\n"
	"  --raw-keys         on a terminal, pass all keys to the guest, including Ctrl-C;\n"
	"                     Ctrl-A x ends axrun, Ctrl-A h prints help; always on for a\n"
	"                     Linux kernel\n"
	"  --timeout SECONDS  end the run after this time; fractions are allowed\n"
	"  --drop-privileges[=USER]\n"
	"                     give up all capabilities before the guest runs, and change\n"
	"                     to USER; default for root: the user \"nobody\"\n"
	"\n"
	"Reports:\n"
	"  --stats            print the number of exits by kind, and their rate\n"
	"  --trace            print each exit\n"
	"  --json[=FILE]      write the result, a crash report and the statistics as one\n"
	"                     line of JSON to FILE, or as the last line to stderr\n"
	"  --log-level LEVEL  print messages of the library: error, warning, info, debug\n"
	"  --help             print this text\n"
	"  --version          print the versions of axrun and of libaxvcpu\n"
	"\n"
	"Exit status: the value that the guest writes to its exit device; 0 if it halts or\n"
	"powers off; 121 if the machine was saved, 122 after Ctrl-A x, 123 if the guest\n"
	"resets the machine, 124 after --timeout, 125 if axrun fails, 126 if the guest\n"
	"crashes.\n";

static enum options_result print_and_flush(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) == EOF) {
		fail("cannot write to stdout");
		return OPTIONS_ERROR;
	}
	return OPTIONS_DONE;
}

static enum options_result print_help(void)
{
	if (print_and_flush(help) != OPTIONS_DONE)
		return OPTIONS_ERROR;
	return print_and_flush(help_continued);
}

static enum options_result print_version(void)
{
	char text[80];

	snprintf(text, sizeof(text), "axrun %d.%d.%d (libaxvcpu %s)\n", AXVCPU_VERSION_MAJOR,
		 AXVCPU_VERSION_MINOR, AXVCPU_VERSION_PATCH, axvcpu_version());
	return print_and_flush(text);
}

static enum options_result print_list(void)
{
	enum options_result result = OPTIONS_ERROR;
	struct file list;

	if (!guests_read_list(&list)) {
		result = OPTIONS_DONE;
		if (fwrite(list.data, 1, list.size, stdout) != list.size || fflush(stdout) == EOF) {
			fail("cannot write to stdout");
			result = OPTIONS_ERROR;
		}
	}
	file_free(&list);
	return result;
}

static int parse_mode(const char *text, struct options *options)
{
	static const struct {
		const char *name;
		uint32_t mode;
	} modes[] = {
		{ "64", AXVCPU_MODE_64 },
		{ "32", AXVCPU_MODE_32 },
		{ "16", AXVCPU_MODE_16 },
		{ "raw", AXVCPU_MODE_RAW },
	};
	size_t i;

	options->mode_given = false;
	if (!strcmp(text, "auto"))
		return 0;
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (!strcmp(text, modes[i].name)) {
			options->mode_given = true;
			options->mode = modes[i].mode;
			return 0;
		}
	return fail("--mode %s: expected auto, 64, 32, 16 or raw", text);
}

static int parse_log_level(const char *text, struct options *options)
{
	static const struct {
		const char *name;
		enum axvcpu_log_level level;
	} levels[] = {
		{ "error", AXVCPU_LOG_ERROR },
		{ "warning", AXVCPU_LOG_WARNING },
		{ "info", AXVCPU_LOG_INFO },
		{ "debug", AXVCPU_LOG_DEBUG },
	};
	size_t i;

	for (i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (!strcmp(text, levels[i].name)) {
			options->log_level = (int)levels[i].level;
			return 0;
		}
	return fail("--log-level %s: expected error, warning, info or debug", text);
}

static int parse_gpa(const char *name, const char *text, uint64_t *gpa, bool *given)
{
	if (!parse_number(text, gpa))
		return fail("--%s %s: expected an address such as 0x10000", name, text);
	*given = true;
	return 0;
}

static int parse_memory(const char *text, struct options *options)
{
	if (!parse_size(text, &options->memory))
		options->memory = 0;
	/* A size with a fraction is rounded down to whole pages. */
	if (strchr(text, '.'))
		options->memory &= ~(uint64_t)(GUEST_PAGE_SIZE - 1);
	if (options->memory == 0)
		return fail("--memory %s: expected a size such as 64M, 3.5G or 1GiB", text);
	if (options->memory % GUEST_PAGE_SIZE)
		return fail("--memory %s: not a multiple of %u bytes; a suffix such as M may help",
			    text, GUEST_PAGE_SIZE);
	return 0;
}

static int parse_timeout(const char *text, struct options *options)
{
	if (!parse_seconds(text, &options->timeout_ns) || options->timeout_ns == 0)
		return fail("--timeout %s: expected seconds such as 2.5", text);
	return 0;
}

static int parse_cpus(const char *text, struct options *options)
{
	void *set;
	size_t size;

	if (!parse_cpu_list(text, &set, &size))
		return fail("--cpu-list %s: expected CPU numbers such as 0,2-3", text);
	free(options->cpu_set);
	options->cpu_set = set;
	options->cpu_set_size = size;
	return 0;
}

static int parse_cpu_count(const char *text, struct options *options)
{
	uint64_t cpus;

	if (!parse_number(text, &cpus) || cpus == 0 || cpus > GUEST_CPUS_MAX)
		return fail("--cpus %s: expected a number from 1 to %u", text, GUEST_CPUS_MAX);
	options->cpus = (uint32_t)cpus;
	return 0;
}

static int parse_irqchip(const char *text, struct options *options)
{
	static const struct {
		const char *name;
		enum axvm_irqchip irqchip;
	} irqchips[] = {
		{ "none", AXVM_IRQCHIP_NONE },
		{ "kernel", AXVM_IRQCHIP_KERNEL },
		{ "split", AXVM_IRQCHIP_SPLIT },
	};
	size_t i;

	for (i = 0; i < sizeof(irqchips) / sizeof(irqchips[0]); i++)
		if (!strcmp(text, irqchips[i].name)) {
			options->irqchip_given = true;
			options->irqchip = irqchips[i].irqchip;
			return 0;
		}
	return fail("--irqchip %s: expected none, kernel or split", text);
}

static void free_guest(struct options *options)
{
	file_free(&options->file);
	free(options->guest_path);
	options->guest_path = NULL;
}

static int parse_kernel(const char *text, struct options *options)
{
	if (!*text)
		return fail("--kernel: the file name is empty");
	free_guest(options);
	options->guest = text;
	options->kernel = true;
	return 0;
}

static int parse_append(const char *text, struct options *options)
{
	size_t len = strlen(text);

	if (len >= sizeof(options->args))
		return fail("--append: the command line is too long: more than %zu characters",
			    sizeof(options->args) - 1);
	memcpy(options->args, text, len + 1);
	options->append_given = true;
	return 0;
}

static int parse_drop_privileges(const char *user, struct options *options)
{
	if (user && !*user)
		return fail("--drop-privileges=: the user name is empty");
	options->drop_privileges = true;
	options->user = user;
	return 0;
}

static int parse_json(const char *text, struct options *options)
{
	if (text && !*text)
		return fail("--json=: the file name is empty");
	options->json = true;
	options->json_path = text;
	return 0;
}

static int parse_dump_acpi(const char *text, struct options *options)
{
	if (!*text)
		return fail("--dump-acpi: the directory name is empty");
	options->acpi_path = text;
	return 0;
}

static int parse_path(const char *name, const char *text, const char **path)
{
	if (!*text)
		return fail("--%s: the file name is empty", name);
	*path = text;
	return 0;
}

static int parse_save_at(const char *text, struct options *options)
{
	options->save_at_doorbell = !strcmp(text, "doorbell");
	options->save_after_ns = 0;
	if (!options->save_at_doorbell &&
	    (!parse_seconds(text, &options->save_after_ns) || options->save_after_ns == 0))
		return fail("--save-at %s: expected doorbell, or seconds such as 2.5", text);
	return 0;
}

static int parse_clones(const char *text, struct options *options)
{
	uint64_t clones;

	if (!parse_number(text, &clones) || clones == 0 || clones > CLONES_MAX)
		return fail("--clone %s: expected a number from 1 to %u", text, CLONES_MAX);
	options->clones = (uint32_t)clones;
	return 0;
}

static int parse_repeat(const char *text, struct options *options)
{
	if (!parse_number(text, &options->repeat) || options->repeat == 0)
		return fail("--repeat %s: expected the number of rounds, from 1 on", text);
	return 0;
}

static int parse_option(int id, const char *text, struct options *options)
{
	switch (id) {
	case OPTION_APPEND:
		return parse_append(text, options);
	case OPTION_CLONE:
		return parse_clones(text, options);
	case OPTION_CPU_LIST:
		return parse_cpus(text, options);
	case OPTION_CPUS:
		return parse_cpu_count(text, options);
	case OPTION_DROP_PRIVILEGES:
		return parse_drop_privileges(text, options);
	case OPTION_DUMP_ACPI:
		return parse_dump_acpi(text, options);
	case OPTION_DUMP_DTB:
		return parse_path("dump-dtb", text, &options->dtb_path);
	case OPTION_ENTRY:
		return parse_gpa("entry", text, &options->entry, &options->entry_given);
	case OPTION_HUGE_PAGES:
		options->huge_pages = true;
		return 0;
	case OPTION_INITRD:
		return parse_path("initrd", text, &options->initrd_path);
	case OPTION_IRQCHIP:
		return parse_irqchip(text, options);
	case OPTION_JSON:
		return parse_json(text, options);
	case OPTION_KERNEL:
		return parse_kernel(text, options);
	case OPTION_LOAD:
		return parse_gpa("load", text, &options->load, &options->load_given);
	case OPTION_LOG_LEVEL:
		return parse_log_level(text, options);
	case OPTION_MEMORY:
		return parse_memory(text, options);
	case OPTION_MODE:
		return parse_mode(text, options);
	case OPTION_RAW_KEYS:
		options->raw_keys = true;
		return 0;
	case OPTION_REBOOT:
		options->reboot = true;
		return 0;
	case OPTION_REPEAT:
		return parse_repeat(text, options);
	case OPTION_RESTORE:
		return parse_path("restore", text, &options->restore_path);
	case OPTION_SAVE:
		return parse_path("save", text, &options->save_path);
	case OPTION_SAVE_AT:
		return parse_save_at(text, options);
	case OPTION_STATS:
		options->stats = true;
		return 0;
	case OPTION_TIMEOUT:
		return parse_timeout(text, options);
	case OPTION_TRACE:
		options->trace = true;
		return 0;
	}
	return fail("unhandled option");
}

static int join_args(char **words, struct options *options)
{
	size_t used = 0;

	for (; *words; words++) {
		size_t len = strlen(*words);

		if (len + 2 > sizeof(options->args) - used)
			return fail("the guest's arguments are too long: more than %zu characters",
				    sizeof(options->args) - 1);
		if (used)
			options->args[used++] = ' ';
		memcpy(options->args + used, *words, len);
		used += len;
	}
	options->args[used] = '\0';
	return 0;
}

/* getopt_long() refused this option: it is unknown, or has an unexpected argument. */
static void refuse_option(char **argv)
{
	if (optopt > 0 && optopt < OPTION_APPEND)
		fail("-%c: no such option; see axrun --help", optopt);
	else
		suggest_option(long_options, argv[optind - 1]);
}

/* Arguments after the guest's name belong to the guest, unless it is a kernel. */
static bool takes_options(struct options *options, const char *guest)
{
	options->guest = guest;
	options->guest_path = guests_find(guest);
	if (file_try(&options->file, options->guest_path ? options->guest_path : guest))
		file_free(&options->file);
	else
		options->kernel = kernel_is(&options->file);
	return options->kernel;
}

/* The file of --restore has the whole machine. */
static int check_restore(const struct options *options)
{
	if (options->guest)
		return fail("--restore %s: the guest is in this file: %s cannot be given, too",
			    options->restore_path, options->guest);
	if (options->initrd_path || options->append_given || options->mode_given ||
	    options->load_given || options->entry_given || options->memory || options->huge_pages ||
	    options->cpus || options->irqchip_given || options->reboot || options->acpi_path ||
	    options->dtb_path)
		return fail("--restore %s: the machine is in this file: options of what to run and "
			    "of the machine, except --cpu-list, cannot be given, too",
			    options->restore_path);
	return 0;
}

static int check_checkpoint_options(const struct options *options)
{
	if (!options->save_path && (options->save_at_doorbell || options->save_after_ns))
		return fail("--save-at: there is no --save with the file to save to");
	if (options->clones && !options->restore_path)
		return fail("--clone: there is no --restore with the file of the machines");
	if (options->clones && (options->save_path || options->json))
		return fail("--clone cannot be used with --save and --json, which write one file");
	if (options->repeat && options->save_at_doorbell)
		return fail("--repeat and --save-at doorbell both use the guest's doorbell");
	if (options->repeat && options->reboot)
		return fail("--repeat cannot be used with --reboot, which makes a new machine");
	return 0;
}

static int check_guest(char **words, struct options *options)
{
	if (check_checkpoint_options(options))
		return -1;
	if (options->restore_path)
		return check_restore(options);
	if (!options->guest)
		return fail("no guest given; see axrun --help");
	if (options->kernel && *words)
		return fail("%s: pass a kernel's command line with --append", *words);
	if (options->kernel)
		return 0;
	/* An unreadable file may be a kernel; image_load() reports why it cannot be read. */
	if (options->file.data && (options->initrd_path || options->append_given))
		return fail("%s: not a Linux kernel, which --initrd and --append need; see --kernel",
			    options->guest);
	return join_args(words, options);
}

enum options_result options_parse(int argc, char **argv, struct options *options)
{
	int id;

	*options = (struct options){ 0 };
	opterr = 0;
	/*
	 * "+": stop at the first argument, as the rest belongs to the guest. ":": distinguish a
	 * missing argument from an unknown option.
	 */
	for (;;) {
		id = getopt_long(argc, argv, "+:", long_options, NULL);
		switch (id) {
		case -1:
			if (optind < argc && !options->guest &&
			    takes_options(options, argv[optind++]))
				continue;
			if (check_guest(argv + optind, options))
				return OPTIONS_ERROR;
			return OPTIONS_RUN;
		case OPTION_HELP:
			return print_help();
		case OPTION_LIST:
			return print_list();
		case OPTION_VERIFY:
			return saved_verify(optarg) ? OPTIONS_ERROR : OPTIONS_DONE;
		case OPTION_VERSION:
			return print_version();
		case ':':
			fail("%s needs an argument; see axrun --help", argv[optind - 1]);
			return OPTIONS_ERROR;
		case '?':
			refuse_option(argv);
			return OPTIONS_ERROR;
		default:
			if (parse_option(id, optarg, options))
				return OPTIONS_ERROR;
		}
	}
}

/* Options that make no sense for a kernel, which has its own load address and entry point. */
static int check_kernel_options(const struct options *options)
{
	if (options->mode_given || options->load_given || options->entry_given)
		return fail("--mode, --load and --entry cannot be used with a Linux kernel");
	if (options->irqchip != AXVM_IRQCHIP_KERNEL)
		return fail("--irqchip: Linux needs the in-kernel interrupt controllers");
	return 0;
}

int options_resolve(struct options *options, const struct platform *platform)
{
	if (!options->irqchip_given)
		options->irqchip = options->kernel ? AXVM_IRQCHIP_KERNEL : platform->irqchip;
	if (!options->cpus)
		options->cpus = 1;
	if (!options->memory)
		options->memory = options->kernel ? DEFAULT_MEMORY_LINUX : DEFAULT_MEMORY;
	if (options->mode_given && !(platform->modes >> options->mode & 1))
		return fail("--mode: %s supports only mode 64", platform->name);
	if (options->dtb_path && !platform->page_gpr)
		return fail("--dump-dtb: the %s machine has no device tree", platform->name);
	if (options->acpi_path && (!platform->acpi_size || !options->kernel))
		return fail("--dump-acpi: only a Linux kernel on x86_64 gets ACPI tables");
	if (options->kernel)
		return check_kernel_options(options);
	return 0;
}

void options_free(struct options *options)
{
	free_guest(options);
	free(options->cpu_set);
	options->cpu_set = NULL;
}
