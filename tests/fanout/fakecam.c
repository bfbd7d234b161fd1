// A V4L2 camera inside the process that opens it: loaded by LD_PRELOAD, it answers for one path and leaves all others
// alone. It streams MJPEG with the bench's marker in each picture, at the bench's rate, for programs that read only
// video devices, on machines that have none.
//
//   FAKECAM_PATH    the path that is the camera; a file there, since programs look before they open
//   FAKECAM_FRAMES  a file of pictures, each after its length as 32 bits, little-endian
//   FAKECAM_FPS     how many a second
//   FAKECAM_SIZE    WIDTHxHEIGHT

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

// The marker of marker.rs: an APP0 segment.
#define MARKER_BYTES 28
#define MAGIC "LIMNFANS"

#define MOST_FRAMES 1024
#define MOST_BUFFERS 16

struct frame {
	const uint8_t *bytes;
	uint32_t length;
};

static struct {
	char path[512];
	unsigned width, height, fps;
	struct frame frames[MOST_FRAMES];
	unsigned frame_count;
	uint64_t sequence;
	// Readable when a picture is due, so that programs can wait for it with select() and poll().
	int timer;
	// All buffers, one behind the other; the program maps them from here by their offsets.
	int memory;
	uint8_t *mapped;
	size_t buffer_bytes;
	unsigned buffers;
	// The indices that the program has queued, oldest first.
	unsigned queue[MOST_BUFFERS], queued;
} camera = {.timer = -1, .memory = -1};

static void *real(const char *name)
{
	void *symbol = dlsym(RTLD_NEXT, name);
	if (!symbol) {
		fprintf(stderr, "fakecam: the system has no `%s`\n", name);
		abort();
	}
	return symbol;
}

static const char *setting(const char *name)
{
	const char *value = getenv(name);
	if (!value) {
		fprintf(stderr, "fakecam: `%s` is not set\n", name);
		abort();
	}
	return value;
}

static void load_frames(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint32_t length;
	size_t longest = 0;
	while (file && camera.frame_count < MOST_FRAMES && fread(&length, sizeof length, 1, file) == 1) {
		uint8_t *bytes = malloc(length);
		if (!bytes || fread(bytes, 1, length, file) != length)
			break;
		camera.frames[camera.frame_count++] = (struct frame){bytes, length};
		if (length > longest)
			longest = length;
	}
	if (!camera.frame_count) {
		fprintf(stderr, "fakecam: no pictures in `%s`\n", path);
		abort();
	}
	fclose(file);
	// A whole number of pages, so that each buffer can be mapped.
	camera.buffer_bytes = (longest + MARKER_BYTES + 0xffff) & ~(size_t)0xffff;
}

static int open_camera(void)
{
	if (!camera.frame_count) {
		load_frames(setting("FAKECAM_FRAMES"));
		camera.fps = (unsigned)atoi(setting("FAKECAM_FPS"));
		if (!camera.fps || sscanf(setting("FAKECAM_SIZE"), "%ux%u", &camera.width, &camera.height) != 2) {
			fprintf(stderr, "fakecam: no rate or size\n");
			abort();
		}
	}
	camera.queued = 0;
	camera.timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
	return camera.timer;
}

static int is_camera(const char *path)
{
	if (!camera.path[0])
		snprintf(camera.path, sizeof camera.path, "%s", setting("FAKECAM_PATH"));
	return path && !strcmp(path, camera.path);
}

#define OPENS(name)                                                       \
	int name(const char *path, int flags, ...)                        \
	{                                                                 \
		va_list rest;                                             \
		va_start(rest, flags);                                    \
		mode_t mode = va_arg(rest, mode_t);                       \
		va_end(rest);                                             \
		if (is_camera(path))                                      \
			return open_camera();                             \
		return ((int (*)(const char *, int, mode_t))real(#name))( \
			path, flags, mode);                               \
	}

OPENS(open)
OPENS(open64)
OPENS(__open_2)
OPENS(__open64_2)

int close(int fd)
{
	if (fd >= 0 && fd == camera.timer)
		camera.timer = -1;
	return ((int (*)(int))real("close"))(fd);
}

#define MAPS(name)                                                                             \
	void *name(void *at, size_t length, int protection, int flags, int fd, off64_t offset) \
	{                                                                                      \
		if (fd >= 0 && fd == camera.timer)                                             \
			fd = camera.memory;                                                    \
		return ((void *(*)(void *, size_t, int, int, int, off64_t))real(#name))(       \
			at, length, protection, flags, fd, offset);                            \
	}

MAPS(mmap)
MAPS(mmap64)

static int run_timer(long first_ns, long interval_ns)
{
	struct itimerspec times = {{0, interval_ns}, {0, first_ns}};
	return timerfd_settime(camera.timer, 0, &times, NULL);
}

static int make_buffers(struct v4l2_requestbuffers *request)
{
	if (request->memory != V4L2_MEMORY_MMAP) {
		errno = EINVAL;
		return -1;
	}
	if (request->count > MOST_BUFFERS)
		request->count = MOST_BUFFERS;
	camera.queued = 0;
	camera.buffers = request->count;
	if (camera.memory >= 0)
		return 0;
	size_t bytes = camera.buffer_bytes * MOST_BUFFERS;
	camera.memory = memfd_create("fakecam", 0);
	if (camera.memory < 0 || ftruncate(camera.memory, (off_t)bytes))
		return -1;
	camera.mapped = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, camera.memory, 0);
	return camera.mapped == MAP_FAILED ? -1 : 0;
}

// Copies the next picture, with the marker behind its first two bytes.
static uint32_t expose(uint8_t *target)
{
	const struct frame *frame = &camera.frames[camera.sequence % camera.frame_count];
	uint8_t marker[MARKER_BYTES] = {0xff, 0xe0, 0, MARKER_BYTES - 2};
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
	uint64_t sequence = camera.sequence++;
	memcpy(marker + 4, MAGIC, 8);
	memcpy(marker + 12, &sequence, 8);
	memcpy(marker + 20, &ns, 8);
	memcpy(target, frame->bytes, 2);
	memcpy(target + 2, marker, sizeof marker);
	memcpy(target + 2 + sizeof marker, frame->bytes + 2, frame->length - 2);
	return frame->length + MARKER_BYTES;
}

static int take(struct v4l2_buffer *buffer)
{
	uint64_t due;
	if (!camera.queued || read(camera.timer, &due, sizeof due) != sizeof due) {
		errno = EAGAIN;
		return -1;
	}
	unsigned index = camera.queue[0];
	memmove(camera.queue, camera.queue + 1, --camera.queued * sizeof *camera.queue);
	buffer->index = index;
	buffer->bytesused = expose(camera.mapped + index * camera.buffer_bytes);
	buffer->sequence = (uint32_t)camera.sequence;
	buffer->field = V4L2_FIELD_NONE;
	return 0;
}

static int answer(unsigned long request, void *argument)
{
	switch (request) {
	case VIDIOC_QUERYCAP: {
		struct v4l2_capability *capability = argument;
		memset(capability, 0, sizeof *capability);
		strcpy((char *)capability->driver, "fakecam");
		strcpy((char *)capability->card, "fakecam");
		capability->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
		capability->capabilities = capability->device_caps | V4L2_CAP_DEVICE_CAPS;
		return 0;
	}
	case VIDIOC_G_FMT:
	case VIDIOC_S_FMT:
	case VIDIOC_TRY_FMT: {
		struct v4l2_pix_format *format = &((struct v4l2_format *)argument)->fmt.pix;
		format->width = camera.width;
		format->height = camera.height;
		format->pixelformat = V4L2_PIX_FMT_MJPEG;
		format->field = V4L2_FIELD_NONE;
		format->bytesperline = 0;
		format->sizeimage = (uint32_t)camera.buffer_bytes;
		return 0;
	}
	case VIDIOC_G_PARM:
	case VIDIOC_S_PARM: {
		struct v4l2_captureparm *capture = &((struct v4l2_streamparm *)argument)->parm.capture;
		capture->capability = V4L2_CAP_TIMEPERFRAME;
		capture->timeperframe = (struct v4l2_fract){1, camera.fps};
		return 0;
	}
	case VIDIOC_S_INPUT:
	case VIDIOC_SUBSCRIBE_EVENT:
		return 0;
	case VIDIOC_REQBUFS:
		return make_buffers(argument);
	case VIDIOC_QUERYBUF: {
		struct v4l2_buffer *buffer = argument;
		buffer->length = (uint32_t)camera.buffer_bytes;
		buffer->m.offset = (uint32_t)(buffer->index * camera.buffer_bytes);
		return 0;
	}
	case VIDIOC_QBUF:
		if (camera.queued == MOST_BUFFERS) {
			errno = EINVAL;
			return -1;
		}
		camera.queue[camera.queued++] = ((struct v4l2_buffer *)argument)->index;
		return 0;
	case VIDIOC_DQBUF:
		return take(argument);
	case VIDIOC_STREAMON:
		return run_timer(1, 1000000000L / camera.fps);
	case VIDIOC_STREAMOFF:
		return run_timer(0, 0);
	default:
		errno = EINVAL;
		return -1;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list rest;
	va_start(rest, request);
	void *argument = va_arg(rest, void *);
	va_end(rest);
	if (fd < 0 || fd != camera.timer)
		return ((int (*)(int, unsigned long, void *))real("ioctl"))(fd, request, argument);
	// Programs give buffers back from other threads than the one that takes them.
	static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
	pthread_mutex_lock(&turn);
	// The program's own 32 bits may have come sign-extended.
	int result = answer((uint32_t)request, argument);
	pthread_mutex_unlock(&turn);
	return result;
}
