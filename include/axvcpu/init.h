/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file init.h
 * How configs begin: `size` set, every other field zero, which is its default.
 *
 * The size tells the library which fields the caller's header knew. A config from a newer header
 * works with an older library as long as the fields unknown to it are zero, else it is -E2BIG.
 */
#ifndef AXVCPU_INIT_H
#define AXVCPU_INIT_H

#ifdef __cplusplus
template <typename T> static inline T axvcpu_init_config()
{
	T config{};
	config.size = sizeof(T);
	return config;
}
#define AXVCPU_INIT(type) axvcpu_init_config<type>()
#else
#define AXVCPU_INIT(type) \
	{ \
		.size = sizeof(type) \
	}
#endif

#endif
