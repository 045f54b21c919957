/* SPDX-License-Identifier: GPL-3.0-or-later OR Apache-2.0 OR MulanPubL-2.0 OR MulanPSL-2.0 */
/*
 * Frames: single pages of guest memory.
 *
 * A hypervisor has few memory slots, and changing them is slow. So frames are allocated from
 * chunks: regions of 512 pages with a bitmap. An empty chunk is unmapped if another one has room;
 * the last one with room stays, so that allocating and freeing a frame repeatedly changes no slot.
 */
#include "lib/memory/frames.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "axvcpu/memory.h"
#include "lib/base/cancel.h"
#include "lib/host/sys.h"
#include "lib/machine/object.h"
#include "lib/text/error.h"

/* No chunk lies below 4 GiB, where VMMs have their devices, which the memory map does not show. */
#define FLOOR (UINT64_C(1) << 32)

struct frame_chunk {
	uint64_t gpa;
	unsigned int used;
	uint64_t taken[AXV_CHUNK_WORDS];
	/* List of the chunks with room. */
	struct frame_chunk *prev;
	struct frame_chunk *next;
};

void axv_frames_init(struct axv_frames *frames)
{
	pthread_mutex_init(&frames->lock, NULL);
}

void axv_frames_destroy(struct axv_frames *frames)
{
	pthread_mutex_destroy(&frames->lock);
}

/* --- the list of chunks with room ------------------------------------------------------------- */

static void room_add(struct axv_frames *frames, struct frame_chunk *chunk)
{
	chunk->prev = NULL;
	chunk->next = frames->room;
	if (chunk->next)
		chunk->next->prev = chunk;
	frames->room = chunk;
}

static void room_remove(struct axv_frames *frames, struct frame_chunk *chunk)
{
	if (chunk->prev)
		chunk->prev->next = chunk->next;
	else
		frames->room = chunk->next;
	if (chunk->next)
		chunk->next->prev = chunk->prev;
}

/* --- chunks ----------------------------------------------------------------------------------- */

static int chunk_new(struct axvm *vm)
{
	struct frame_chunk *chunk = axv_sys_calloc(1, sizeof(*chunk));
	struct axvm_region info = AXVM_REGION_INIT;
	int ret;

	if (!chunk)
		return axvcpu_fail(vm, -ENOMEM, "alloc_frame: allocating a chunk");
	info.len = (uint64_t)AXV_CHUNK_FRAMES * vm->limits.page_size;
	info.backing = AXVM_MEM_ANONYMOUS;
	info.flags = AXVM_MEM_FRAMES;
	info.fd = -1;
	ret = axv_memory_map_chunk(vm, &info, FLOOR, chunk);
	if (ret) {
		free(chunk);
		return ret;
	}
	chunk->gpa = info.gpa;
	room_add(&vm->frames, chunk);
	return 0;
}

int axv_frames_adopt(struct axvm *vm, const struct axvm_region *info,
		     const uint64_t taken[AXV_CHUNK_WORDS])
{
	struct frame_chunk *chunk;
	int ret;

	if (info->len != (uint64_t)AXV_CHUNK_FRAMES * vm->limits.page_size)
		return axvcpu_fail(vm, -EINVAL, "frames: a region of %" PRIu64 " bytes", info->len);
	chunk = axv_sys_calloc(1, sizeof(*chunk));
	if (!chunk)
		return axvcpu_fail(vm, -ENOMEM, "frames: allocating a chunk");
	ret = axv_memory_map(vm, info, chunk);
	if (ret) {
		free(chunk);
		return ret;
	}
	chunk->gpa = info->gpa;
	memcpy(chunk->taken, taken, sizeof(chunk->taken));
	for (unsigned int i = 0; i < AXV_CHUNK_WORDS; i++)
		chunk->used += (unsigned int)__builtin_popcountll(taken[i]);
	if (chunk->used < AXV_CHUNK_FRAMES)
		room_add(&vm->frames, chunk);
	return 0;
}

void axv_frames_taken(struct axvm *vm, uint64_t gpa, uint64_t taken[AXV_CHUNK_WORDS])
{
	const struct frame_chunk *chunk;
	_Atomic uint32_t *reader;

	pthread_mutex_lock(&vm->frames.lock);
	reader = axv_srcu_read_lock(&vm->memory.srcu);
	chunk = axv_memory_find_chunk(vm, gpa);
	if (chunk)
		memcpy(taken, chunk->taken, sizeof(chunk->taken));
	axv_srcu_read_unlock(&vm->memory.srcu, reader);
	pthread_mutex_unlock(&vm->frames.lock);
}

static unsigned int take(struct frame_chunk *chunk)
{
	unsigned int word = 0;
	unsigned int bit;

	while (!~chunk->taken[word])
		word++;
	bit = (unsigned int)__builtin_ctzll(~chunk->taken[word]);
	chunk->taken[word] |= UINT64_C(1) << bit;
	chunk->used++;
	return word * 64 + bit;
}

static bool give(struct frame_chunk *chunk, uint64_t n)
{
	uint64_t bit = UINT64_C(1) << n % 64;

	if (!(chunk->taken[n / 64] & bit))
		return false;
	chunk->taken[n / 64] &= ~bit;
	chunk->used--;
	return true;
}

/* --- the default of the HAL ------------------------------------------------------------------- */

/* The caller holds the lock, and a chunk has room. */
static uint64_t take_frame(struct axvm *vm)
{
	struct axv_frames *frames = &vm->frames;
	struct frame_chunk *chunk = frames->room;
	uint64_t offset = (uint64_t)take(chunk) * vm->limits.page_size;

	if (chunk->used == AXV_CHUNK_FRAMES)
		room_remove(frames, chunk);
	return chunk->gpa + offset;
}

int axv_frames_alloc(void *ctx, struct axvm *vm, uint64_t *gpa)
{
	struct axv_frames *frames = &vm->frames;
	int cancel, ret;

	cancel = axv_cancel_disable();
	pthread_mutex_lock(&frames->lock);
	ret = frames->room ? 0 : chunk_new(vm);
	if (!ret)
		*gpa = take_frame(vm);
	pthread_mutex_unlock(&frames->lock);
	axv_cancel_restore(cancel);
	if (ret)
		return ret;
	/*
	 * Also for a new chunk: the guest can write to all of it. That of a clone may be of a file that
	 * was truncated.
	 */
	ret = axvm_set(vm, *gpa, 0, vm->limits.page_size);
	if (ret)
		axv_frames_free(ctx, vm, *gpa);
	return ret;
}

/* Frees the frame. Returns 0 or -ENOENT; *empty receives the chunk if the caller must unmap it. */
static int give_back(struct axvm *vm, uint64_t gpa, struct frame_chunk **empty)
{
	struct axv_frames *frames = &vm->frames;
	struct frame_chunk *chunk;
	_Atomic uint32_t *reader;
	int ret = 0;

	pthread_mutex_lock(&frames->lock);
	/* Keeps the chunk from being freed: another thread may be unmapping it without the lock. */
	reader = axv_srcu_read_lock(&vm->memory.srcu);
	chunk = axv_memory_find_chunk(vm, gpa);
	if (chunk && give(chunk, (gpa - chunk->gpa) / vm->limits.page_size)) {
		if (chunk->used == AXV_CHUNK_FRAMES - 1)
			room_add(frames, chunk);
		/* The only chunk with room stays. */
		if (!chunk->used && (chunk->prev || chunk->next)) {
			room_remove(frames, chunk);
			*empty = chunk;
		}
	} else {
		ret = -ENOENT;
	}
	axv_srcu_read_unlock(&vm->memory.srcu, reader);
	pthread_mutex_unlock(&frames->lock);
	return ret;
}

/* Called without the lock, as unmapping waits for look-ups. */
static void chunk_unmap(struct axvm *vm, struct frame_chunk *chunk)
{
	struct axv_frames *frames = &vm->frames;

	/*
	 * The chunk is freed with the region. If unmapping fails, the chunk keeps serving frames.
	 */
	if (!axv_memory_unmap_chunk(vm, chunk->gpa,
				    (uint64_t)AXV_CHUNK_FRAMES * vm->limits.page_size))
		return;
	pthread_mutex_lock(&frames->lock);
	room_add(frames, chunk);
	pthread_mutex_unlock(&frames->lock);
}

int axv_frames_free(void *ctx, struct axvm *vm, uint64_t gpa)
{
	uint64_t page = vm->limits.page_size;
	struct frame_chunk *empty = NULL;
	int cancel, ret;

	(void)ctx;
	if (gpa % page)
		return axvcpu_fail(vm, -EINVAL,
				   "free_frame %#" PRIx64
				   ": not a multiple of the page size, %" PRIu64,
				   gpa, page);
	ret = give_back(vm, gpa, &empty);
	if (ret)
		return axvcpu_fail(vm, ret, "free_frame %#" PRIx64 ": no frame is allocated there",
				   gpa);
	if (empty) {
		cancel = axv_cancel_disable();
		chunk_unmap(vm, empty);
		axv_cancel_restore(cancel);
	}
	return 0;
}

/* --- the calls -------------------------------------------------------------------------------- */

/* The HAL hooks. The backend calls them inside an operation on a vCPU, too, so without cancellation. */
static int hook_alloc(struct axvm *vm, uint64_t *gpa)
{
	int cancel = axv_cancel_disable();
	int ret = vm->hal.alloc_frame(vm->hal.ctx, vm, gpa);

	axv_cancel_restore(cancel);
	return ret;
}

static int hook_free(struct axvm *vm, uint64_t gpa)
{
	int cancel = axv_cancel_disable();
	int ret = vm->hal.free_frame(vm->hal.ctx, vm, gpa);

	axv_cancel_restore(cancel);
	return ret;
}

int axvm_alloc_frame(struct axvm *vm, uint64_t *gpa)
{
	unsigned int failures = axv_error_count;
	uint64_t frame = 0;
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	ret = hook_alloc(vm, &frame);
	if (ret < 0) {
		/* A hook may fail without a message. */
		if (axv_error_count == failures)
			axvcpu_fail(vm, ret, "alloc_frame: the HAL's alloc_frame failed");
		return ret;
	}
	if (frame % vm->limits.page_size) {
		hook_free(vm, frame);
		return axvcpu_fail(vm, -EINVAL,
				   "alloc_frame: the HAL's frame at %#" PRIx64 " is unaligned",
				   frame);
	}
	*gpa = frame;
	return 0;
}

int axvm_free_frame(struct axvm *vm, uint64_t gpa)
{
	unsigned int failures = axv_error_count;
	int ret = axv_vm_check_process(vm);

	if (ret)
		return ret;
	ret = hook_free(vm, gpa);
	if (ret < 0 && axv_error_count == failures)
		axvcpu_fail(vm, ret, "free_frame %#" PRIx64 ": the HAL's free_frame failed", gpa);
	return ret < 0 ? ret : 0;
}
