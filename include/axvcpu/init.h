/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/**
 * @file init.h
 * Initialisation of configuration structs.
 *
 * Each configuration struct begins with the member `size`. Its INIT macro sets `size` and zeroes
 * all other members. Zero is the default of every member.
 *
 * In C, AXVCPU_WITH() gives a config and sets members in one expression.
 *
 * The size tells the library which members the caller's headers declare. Later versions only append
 * members. A config from newer headers works with an older library if the members that the library
 * does not know are zero; otherwise the call fails with -E2BIG.
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
/*
 * A config in one expression, for C: members that are not named have their defaults. Its lifetime
 * is that of the enclosing block.
 *
 *	axvm_map(vm, &AXVCPU_WITH(axvm_region, .len = 0x10000));
 */
#define AXVCPU_WITH(name, ...) ((struct name){ .size = sizeof(struct name), __VA_ARGS__ })
#endif

#endif
