/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Frames: guest memory by the page. The default of the HAL's alloc_frame and free_frame. */
#ifndef LIB_FRAMES_H
#define LIB_FRAMES_H

#include <pthread.h>
#include <stdint.h>

struct axvm;
struct frame_chunk;

/* A VM's. */
struct axv_frames {
	/* Guards all of this and the chunks. Taken before the memory map's. */
	pthread_mutex_t lock;
	/* The chunks that have room; all of them hang on their regions in the memory map. */
	struct frame_chunk *room;
};

void axv_frames_init(struct axv_frames *frames);
void axv_frames_destroy(struct axv_frames *frames);

int axv_frames_alloc(void *ctx, struct axvm *vm, uint64_t *gpa);
int axv_frames_free(void *ctx, struct axvm *vm, uint64_t gpa);

#endif
