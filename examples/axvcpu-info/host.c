/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
#include "host.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- files of /proc --------------------------------------------------------------------------- */

/* Enough for the first CPU in /proc/cpuinfo, and for the first interrupts on hundreds of CPUs. */
#define TEXT_SIZE (1 << 20)

/* Reads the beginning of a file as a string; "" on failure. NUL bytes become newlines. */
static void read_text(const char *path, char *text)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n = 1;

	while (fd >= 0 && n > 0 && len < TEXT_SIZE - 1) {
		n = read(fd, text + len, TEXT_SIZE - 1 - len);
		if (n > 0)
			len += (size_t)n;
	}
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; i < len; i++)
		if (!text[i])
			text[i] = '\n';
	text[len] = '\0';
}

/* Returns the rest of the first line that begins with `name`, or NULL. */
static const char *find_line(const char *text, const char *name)
{
	const char *line = text;

	while (line && strncmp(line, name, strlen(name)) != 0) {
		line = strchr(line, '\n');
		if (line)
			line++;
	}
	return line ? line + strlen(name) : NULL;
}

/* Whether the text up to `end` contains the word, delimited by blanks or colons. */
static bool has_word(const char *text, const char *end, const char *word)
{
	size_t len = strlen(word);

	while (text < end) {
		size_t n = strcspn(text, " \t\n:");

		if (n == len && !strncmp(text, word, len))
			return true;
		text += n + 1;
	}
	return false;
}

static const char *line_end(const char *line)
{
	return line + strcspn(line, "\n");
}

bool cpuinfo_has_flag(const char *cpuinfo, const char *flag)
{
	const char *line = find_line(cpuinfo, "flags");

	return line && has_word(line, line_end(line), flag);
}

bool cpuinfo_has_letter(const char *cpuinfo, char letter)
{
	const char *line = find_line(cpuinfo, "isa");
	const char *letters = line ? strstr(line, "rv64") : NULL;

	if (!letters || letters > line_end(line))
		return false;
	/* Multi-letter names follow, separated by underscores. */
	letters += strlen("rv64");
	return memchr(letters, letter, strcspn(letters, "_\n")) != NULL;
}

static bool in_container(char *text)
{
	if (!access("/.dockerenv", F_OK) || !access("/run/.containerenv", F_OK) ||
	    !access("/run/systemd/container", F_OK) || getenv("container"))
		return true;
	read_text("/proc/1/environ", text);
	return find_line(text, "container=") != NULL;
}

static void read_proc(struct host *host)
{
	static char text[TEXT_SIZE];

	host->container = in_container(text);
	read_text("/proc/misc", text);
	host->has_kvm = has_word(text, text + strlen(text), "kvm");
	read_text("/proc/cpuinfo", text);
	host->vmx = cpuinfo_has_flag(text, "vmx");
	host->svm = cpuinfo_has_flag(text, "svm");
	host->hypervisor = cpuinfo_has_flag(text, "hypervisor");
	host->h_extension = cpuinfo_has_letter(text, 'h');
	read_text("/proc/interrupts", text);
	host->guest_vtimer = strstr(text, "kvm guest vtimer") != NULL;
	host->guest_ptimer = strstr(text, "kvm guest ptimer") != NULL;
}

/* --- the device and the user ------------------------------------------------------------------ */

#define MAX_GROUPS 1024

static bool has_group(const gid_t *groups, int n, gid_t gid)
{
	for (int i = 0; i < n; i++)
		if (groups[i] == gid)
			return true;
	return false;
}

static void read_user(struct host *host, gid_t gid)
{
	gid_t groups[MAX_GROUPS];
	const struct passwd *passwd = getpwuid(geteuid());
	const struct group *group = getgrgid(gid);
	int n = MAX_GROUPS;

	host->root = !geteuid();
	if (group)
		snprintf(host->group, sizeof(host->group), "%s", group->gr_name);
	else
		snprintf(host->group, sizeof(host->group), "%u", (unsigned int)gid);
	host->member_now = getegid() == gid || has_group(groups, getgroups(n, groups), gid);
	if (!passwd) {
		snprintf(host->user, sizeof(host->user), "%u", (unsigned int)geteuid());
		return;
	}
	snprintf(host->user, sizeof(host->user), "%s", passwd->pw_name);
	host->member = getgrouplist(host->user, passwd->pw_gid, groups, &n) >= 0 &&
		       has_group(groups, n, gid);
}

void host_read(struct host *host, const char *arch, const char *device)
{
	struct stat st;

	*host = (struct host){ .arch = arch, .device = device };
	host->exists = !stat(device, &st);
	if (host->exists) {
		host->is_character_device = S_ISCHR(st.st_mode);
		host->mode = st.st_mode & 07777;
		read_user(host, st.st_gid);
	}
	read_proc(host);
}
