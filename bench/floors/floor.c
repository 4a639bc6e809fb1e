/*
 * The C floor: the least that a job server can do for the loads of gearload, on one thread with epoll.
 *
 *   floor PORT
 *
 * It has one queue for all functions, no uniques, no priorities, no errors and no checks. A job server on one thread that
 * does everything Gearman asks for can come near this, but cannot be faster. Everything sent in one turn of the loop
 * leaves in one write a connection, as with ours.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PRE_SLEEP = 4, NOOP = 6, SUBMIT_JOB = 7, JOB_CREATED = 8, GRAB_JOB = 9, NO_JOB = 10, JOB_ASSIGN = 11 };
enum { WORK_COMPLETE = 13, ECHO_REQ = 16, ECHO_RES = 17, SUBMIT_JOB_BG = 18, ALL_YOURS = 24 };

typedef struct {
  char *bytes;
  size_t length, offset, capacity;
} buffer;

typedef struct connection {
  int fd, is_dirty, is_gone, is_pushed, grabs, waits_to_write;
  buffer in, out;
  struct connection *next; /* in the list of those that wait for a job */
} connection;

typedef struct job {
  connection *client; /* NULL for a background job */
  struct job *next;
  uint32_t slot, name, size;
  char bytes[]; /* name, NUL, workload */
} job;

static int epoll_fd;
static job **jobs, *first_job, *last_job;
static uint32_t *free_slots, slot_count, free_count, slot_capacity;
static connection *first_waiting, *last_waiting, *dirty[65536];
static int dirty_count;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static char *room(buffer *buffer, size_t bytes) {
  if (buffer->offset == buffer->length) buffer->offset = buffer->length = 0;
  if (buffer->length + bytes > buffer->capacity) {
    memmove(buffer->bytes, buffer->bytes + buffer->offset, buffer->length - buffer->offset);
    buffer->length -= buffer->offset;
    buffer->offset = 0;
    if (buffer->length + bytes > buffer->capacity) {
      buffer->capacity = (buffer->length + bytes) * 2;
      if (!(buffer->bytes = realloc(buffer->bytes, buffer->capacity))) die("memory");
    }
  }
  return buffer->bytes + buffer->length;
}

/* Sends a packet with a handle (none if slot is 0) and the bytes that follow it. */
static void send_packet(connection *to, uint32_t type, uint32_t slot, const char *rest, size_t length) {
  char handle[32];
  size_t digits = slot ? sprintf(handle, "H:floor:%u", slot) : 0;
  size_t head = digits && rest ? digits + 1 : digits;
  uint32_t header[3] = {htonl(0x00524553), htonl(type), htonl(head + length)};
  char *at = room(&to->out, 12 + head + length);
  memcpy(at, header, 12);
  memcpy(at + 12, handle, head);
  if (length) memcpy(at + 12 + head, rest, length);
  to->out.length += 12 + head + length;
  if (!to->is_dirty) dirty[dirty_count++] = to;
  to->is_dirty = 1;
}

static void flush(connection *to) {
  to->is_dirty = 0;
  while (to->out.offset < to->out.length) {
    ssize_t written = write(to->fd, to->out.bytes + to->out.offset, to->out.length - to->out.offset);
    if (written < 0) break;
    to->out.offset += written;
  }
  int waits = to->out.offset < to->out.length;
  if (waits == to->waits_to_write) return;
  struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = to};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, to->fd, &event);
  to->waits_to_write = waits;
}

static void wait_for_job(connection *worker) {
  worker->next = NULL;
  if (first_waiting) last_waiting->next = worker;
  else first_waiting = worker;
  last_waiting = worker;
}

/* Wakes a sleeping worker, or gives a job to one with an open grab. */
static void offer(void) {
  while (first_job && first_waiting) {
    connection *worker = first_waiting;
    first_waiting = worker->next;
    if (worker->is_gone) continue;
    if (!worker->is_pushed) {
      send_packet(worker, NOOP, 0, NULL, 0);
      return;
    }
    job *job = first_job;
    first_job = job->next;
    send_packet(worker, JOB_ASSIGN, job->slot, job->bytes, job->size);
    if (--worker->grabs) wait_for_job(worker);
  }
}

static void grab(connection *worker) {
  job *job = first_job;
  if (job) {
    first_job = job->next;
    send_packet(worker, JOB_ASSIGN, job->slot, job->bytes, job->size);
  } else if (worker->is_pushed) {
    if (!worker->grabs++) wait_for_job(worker);
  } else {
    send_packet(worker, NO_JOB, 0, NULL, 0);
  }
}

static void submit(connection *client, int is_background, const char *body, size_t length) {
  size_t name = strlen(body) + 1, unique = strlen(body + name) + 1;
  job *job = malloc(sizeof *job + length - unique);
  job->client = is_background ? NULL : client;
  job->size = length - unique;
  job->name = name;
  job->next = NULL;
  memcpy(job->bytes, body, name);
  memcpy(job->bytes + name, body + name + unique, length - name - unique);
  if (!free_count && slot_count + 1 >= slot_capacity) {
    slot_capacity = slot_capacity * 2 + 1024;
    jobs = realloc(jobs, slot_capacity * sizeof *jobs);
    free_slots = realloc(free_slots, slot_capacity * sizeof *free_slots);
  }
  job->slot = free_count ? free_slots[--free_count] : ++slot_count;
  jobs[job->slot] = job;
  if (first_job) last_job->next = job;
  else first_job = job;
  last_job = job;
  send_packet(client, JOB_CREATED, job->slot, NULL, 0);
  offer();
}

static void complete(const char *body, size_t length) {
  uint32_t slot = strtoul(body + 8, NULL, 10); /* behind "H:floor:" */
  size_t handle = strlen(body) + 1;
  job *job = jobs[slot];
  if (job->client) send_packet(job->client, WORK_COMPLETE, slot, body + handle, length - handle);
  free_slots[free_count++] = slot;
  free(job);
}

static void take_packet(connection *from, uint32_t type, const char *body, size_t length) {
  if (type == SUBMIT_JOB || type == SUBMIT_JOB_BG) submit(from, type == SUBMIT_JOB_BG, body, length);
  else if (type == GRAB_JOB) grab(from);
  else if (type == WORK_COMPLETE) complete(body, length);
  else if (type == ECHO_REQ) send_packet(from, ECHO_RES, 0, body, length);
  else if (type == ALL_YOURS) from->is_pushed = 1;
  else if (type == PRE_SLEEP && first_job) send_packet(from, NOOP, 0, NULL, 0);
  else if (type == PRE_SLEEP) wait_for_job(from);
}

static void readable(connection *from) {
  buffer *in = &from->in;
  char *at = room(in, 65536);
  ssize_t got = read(from->fd, at, 65536);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) {
    close(from->fd);
    from->is_gone = 1; /* not freed, because a job or the list of waiting connections may still point to it */
    return;
  }
  in->length += got;
  while (in->length - in->offset >= 12) {
    uint32_t header[3];
    memcpy(header, in->bytes + in->offset, 12);
    size_t length = ntohl(header[2]);
    if (in->length - in->offset < 12 + length) return;
    take_packet(from, ntohl(header[1]), in->bytes + in->offset + 12, length);
    in->offset += 12 + length;
  }
}

static void accept_one(int listener) {
  int one = 1;
  connection *connection = calloc(1, sizeof *connection);
  if ((connection->fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) < 0) die("accept");
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event);
}

int main(int argc, char **argv) {
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(argv[argc - 1]))};
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 4096)) die("listen");
  struct epoll_event events[512], event = {.events = EPOLLIN, .data.ptr = NULL};
  epoll_fd = epoll_create1(0);
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, listener, &event);
  for (;;) {
    int count = epoll_wait(epoll_fd, events, 512, -1);
    for (int at = 0; at < count; at++) {
      if (!events[at].data.ptr) accept_one(listener);
      else if (events[at].events & EPOLLOUT) flush(events[at].data.ptr);
      if (events[at].data.ptr && events[at].events & ~EPOLLOUT) readable(events[at].data.ptr);
    }
    for (int at = 0; at < dirty_count; at++) flush(dirty[at]);
    dirty_count = 0;
  }
}
