/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * axvcpu-info: reports whether KVM is usable on this host, or why not, and its features.
 * docs/info.md.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "info.h"
#include "report.h"

enum status {
	STATUS_USABLE = 0,
	STATUS_NOT_USABLE = 1,
	/* Also for output that cannot be written. */
	STATUS_USAGE = 2,
};

enum format {
	FORMAT_TEXT,
	FORMAT_JSON,
	FORMAT_SPEED,
};

static const char help[] =
	"Usage: axvcpu-info [OPTION] [DEVICE]\n"
	"Report whether KVM is usable on this host. If not, print the reason and what to do.\n"
	"If it is, print the kind of KVM, its features, and its present speed. DEVICE is the\n"
	"KVM device (default: /dev/kvm).\n"
	"\n"
	"  --json        print the report as one line of JSON\n"
	"  --kvm-speed   print one word, for scripts: fast; slow if KVM interprets guest code\n"
	"                (fewer than 10 million instructions per second); none if KVM is not\n"
	"                usable\n"
	"  --help        print this text\n"
	"  --version     print the versions of axvcpu-info and of libaxvcpu\n"
	"\n"
	"The environment variable AXVCPU_KVM_MIPS replaces the measured speed, in millions of\n"
	"instructions per second.\n"
	"\n"
	"Exit status: 0 if KVM is usable, 1 if not, 2 if the command line or the environment\n"
	"is wrong, or the output cannot be written.\n";

static const struct option options[] = {
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, 'j' },
	{ "kvm-speed", no_argument, NULL, 's' },
	{ "version", no_argument, NULL, 'v' },
	{ 0 },
};

static int refuse(const char *what, const char *value)
{
	fprintf(stderr, "axvcpu-info: %s%s; --help describes the options\n", what, value);
	return STATUS_USAGE;
}

static int flush(int status)
{
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "axvcpu-info: stdout: %s\n", strerror(errno));
		return STATUS_USAGE;
	}
	return status;
}

/* Reads AXVCPU_KVM_MIPS; 0 if it is unset. */
static int read_mips(double *mips)
{
	const char *text = getenv("AXVCPU_KVM_MIPS");
	char *end;

	*mips = 0;
	if (!text || !*text)
		return 0;
	*mips = strtod(text, &end);
	if (*end || !isfinite(*mips) || *mips <= 0)
		return refuse("AXVCPU_KVM_MIPS must be a number above 0, but is ", text);
	return 0;
}

static int inspect(const char *device, enum format format)
{
	static struct info info;
	double mips;
	int status = read_mips(&mips);

	if (status)
		return status;
	info_read(&info, device, mips, format == FORMAT_SPEED);
	switch (format) {
	case FORMAT_TEXT:
		report_text(&info, stdout);
		break;
	case FORMAT_JSON:
		report_json(&info, stdout);
		break;
	case FORMAT_SPEED:
		report_speed(&info);
		break;
	}
	return flush(info.obstacle.code ? STATUS_NOT_USABLE : STATUS_USABLE);
}

int main(int argc, char **argv)
{
	enum format format = FORMAT_TEXT;
	int option;

	/* Failed writes are reported by the writing code. */
	signal(SIGPIPE, SIG_IGN);
	while ((option = getopt_long(argc, argv, "h", options, NULL)) >= 0) {
		switch (option) {
		case 'h':
			fputs(help, stdout);
			return flush(0);
		case 'v':
			printf("axvcpu-info %d.%d.%d (libaxvcpu %s)\n", AXVCPU_VERSION_MAJOR,
			       AXVCPU_VERSION_MINOR, AXVCPU_VERSION_PATCH, axvcpu_version());
			return flush(0);
		case 'j':
		case 's':
			if (format != FORMAT_TEXT)
				return refuse("--json and --kvm-speed", " cannot be combined");
			format = option == 'j' ? FORMAT_JSON : FORMAT_SPEED;
			break;
		default:
			/* getopt_long() has printed the reason. */
			return STATUS_USAGE;
		}
	}
	if (argc - optind > 1)
		return refuse("more than one DEVICE: ", argv[optind + 1]);
	return inspect(argc > optind ? argv[optind] : "/dev/kvm", format);
}
