/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* The smallest possible architecture, for measurements that do not depend on one. */
#ifndef BENCH_MOCK_H
#define BENCH_MOCK_H

#include <axvcpu/axvcpu.h>

extern const struct axvcpu_arch_ops mock_ops;

#endif
