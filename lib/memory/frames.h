/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/* Frames: single pages of guest memory. The default of the HAL's alloc_frame and free_frame. */
#ifndef LIB_FRAMES_H
#define LIB_FRAMES_H

#include <pthread.h>
#include <stdint.h>

struct axvm;
struct axvm_region;
struct frame_chunk;

/* Frames of a region, and words of the bitmap of those that are allocated. */
#define AXV_CHUNK_FRAMES 512u
#define AXV_CHUNK_WORDS (AXV_CHUNK_FRAMES / 64)

/* The frames of a VM. */
struct axv_frames {
	/* Guards this struct and the chunks. Lock order: before the memory map's lock. */
	pthread_mutex_t lock;
	/* List of the chunks that have room. The region of each chunk refers to it. */
	struct frame_chunk *room;
};

void axv_frames_init(struct axv_frames *frames);
void axv_frames_destroy(struct axv_frames *frames);

int axv_frames_alloc(void *ctx, struct axvm *vm, uint64_t *gpa);
int axv_frames_free(void *ctx, struct axvm *vm, uint64_t gpa);

/* Reads the bitmap of the region of frames at 'gpa'; no such region: the bitmap is unchanged. */
void axv_frames_taken(struct axvm *vm, uint64_t gpa, uint64_t taken[AXV_CHUNK_WORDS]);
/*
 * Maps 'info' by axv_memory_map() as a region of frames, of which some are allocated. No other
 * thread uses the VM.
 */
int axv_frames_adopt(struct axvm *vm, const struct axvm_region *info,
		     const uint64_t taken[AXV_CHUNK_WORDS]);

#endif
