/*
 * gearload: a load generator for any Gearman job server, speaking raw packets.
 *
 *   gearload -p PORT [-m MODE] [-c CLIENTS] [-w WORKERS] [-d DEPTH] [-n JOBS] [-s BYTES] [-f FUNCTIONS] [-u] [-A]
 *            [-g GRABS] [-t SECONDS] [-P PID]...
 *
 *   fg     CLIENTS connections keep DEPTH foreground jobs in flight each; WORKERS connections send the workload back
 *   bg     submits JOBS background jobs that nobody works on
 *   drain  WORKERS connections take JOBS queued jobs; submit them with bg first
 *   mixed  submits background jobs and works on them at the same time
 *   echo   DEPTH ECHO_REQs in flight on each of CLIENTS connections
 *   idle   opens CLIENTS connections, each with one ECHO
 *   calls  no job server: what a write and a read of a packet cost on a loopback connection of this machine
 *
 * -u gives each job a random unique. With -A the workers send ALL_YOURS first, and keep GRABS grabs open each (1 by
 * default); a job server that refuses it ends the run.
 * A run that takes longer than -t is ended. With -P, once for each process, the CPU time and memory of the job server
 * (and of a database it uses) are read from /proc before and after. Prints one line of JSON. One thread, epoll, no
 * library.
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
#include <time.h>
#include <unistd.h>

enum {
  CAN_DO = 1,
  PRE_SLEEP = 4,
  NOOP = 6,
  SUBMIT_JOB = 7,
  JOB_CREATED = 8,
  GRAB_JOB = 9,
  NO_JOB = 10,
  JOB_ASSIGN = 11,
  WORK_COMPLETE = 13,
  ECHO_REQ = 16,
  ECHO_RES = 17,
  SUBMIT_JOB_BG = 18,
  ERROR = 19,
  ALL_YOURS = 24
};
enum mode { FG, BG, DRAIN, MIXED, ECHO, IDLE, CALLS, MODES };

static const char *MODE_NAMES[MODES] = {"fg", "bg", "drain", "mixed", "echo", "idle", "calls"};
static const uint32_t REQ = 0x00524551, RES = 0x00524553;
enum { MAX_PROCESSES = 4, UNIQUE_DIGITS = 32 };

typedef struct {
  char *bytes;
  size_t length, capacity, offset;
} buffer;

typedef struct {
  int fd, waits_to_write;
  buffer in, out;
  uint64_t *sent; /* ring: when the requests still unanswered were sent, oldest first */
  int first, last;
} connection;

static enum mode mode = FG;
static int port = 4730, clients = 8, workers = 8, depth = 8, size = 100, functions = 1, all_yours = 0;
static int grabs = 1;
static int random_uniques = 0, seconds_at_most = 300, pids[MAX_PROCESSES], pid_count = 0;
static long jobs = 100000, submitted, created, completed, taken;
static int epoll_fd;
static char *workload;
static double *latencies;
static long latency_count;

static void die(const char *what) {
  perror(what);
  exit(1);
}

static uint64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000ull + time.tv_nsec;
}

/* --- when each foreground job was submitted, by handle: open addressing, linear probing --- */

typedef struct {
  char handle[64];
  uint64_t time;
} slot;
static slot *slots;
static size_t slot_mask;

static size_t home_of(const char *handle, size_t length) {
  uint64_t hash = 1469598103934665603ull;
  while (length--) hash = (hash ^ (unsigned char)*handle++) * 1099511628211ull;
  return hash & slot_mask;
}

static void remember(const char *handle, size_t length, uint64_t time) {
  if (length > 63) length = 63;
  size_t at = home_of(handle, length);
  while (slots[at].handle[0]) at = (at + 1) & slot_mask;
  memcpy(slots[at].handle, handle, length);
  slots[at].handle[length] = 0;
  slots[at].time = time;
}

/* Closes the gap at `empty`: moves entries back that would not be found any more. */
static void close_gap(size_t empty) {
  for (size_t at = (empty + 1) & slot_mask; slots[at].handle[0]; at = (at + 1) & slot_mask) {
    size_t home = home_of(slots[at].handle, strlen(slots[at].handle));
    int stays = empty <= at ? empty < home && home <= at : empty < home || home <= at;
    if (stays) continue;
    slots[empty] = slots[at];
    empty = at;
  }
  slots[empty].handle[0] = 0;
}

static uint64_t recall(const char *handle, size_t length) {
  if (length > 63) length = 63;
  for (size_t at = home_of(handle, length); slots[at].handle[0]; at = (at + 1) & slot_mask) {
    if (strncmp(slots[at].handle, handle, length) || slots[at].handle[length]) continue;
    uint64_t time = slots[at].time;
    close_gap(at);
    return time;
  }
  fprintf(stderr, "a result for a job nobody submitted: %.*s\n", (int)length, handle);
  exit(1);
}

/* --- connections --- */

static void reserve(buffer *buffer, size_t bytes) {
  if (buffer->offset == buffer->length) buffer->offset = buffer->length = 0;
  if (buffer->length + bytes <= buffer->capacity) return;
  memmove(buffer->bytes, buffer->bytes + buffer->offset, buffer->length - buffer->offset);
  buffer->length -= buffer->offset;
  buffer->offset = 0;
  if (buffer->length + bytes <= buffer->capacity) return;
  buffer->capacity = (buffer->length + bytes) * 2 + 4096;
  if (!(buffer->bytes = realloc(buffer->bytes, buffer->capacity))) die("memory");
}

static void append(buffer *buffer, const void *bytes, size_t length) {
  reserve(buffer, length);
  memcpy(buffer->bytes + buffer->length, bytes, length);
  buffer->length += length;
}

static void send_packet(connection *to, uint32_t type, const char *head, size_t head_length, const char *rest,
                        size_t rest_length) {
  uint32_t header[3] = {htonl(REQ), htonl(type), htonl(head_length + rest_length)};
  append(&to->out, header, sizeof header);
  if (head_length) append(&to->out, head, head_length);
  if (rest_length) append(&to->out, rest, rest_length);
}

static void send_bare(connection *to, uint32_t type) { send_packet(to, type, NULL, 0, NULL, 0); }

static void flush(connection *to) {
  while (to->out.offset < to->out.length) {
    ssize_t written = write(to->fd, to->out.bytes + to->out.offset, to->out.length - to->out.offset);
    if (written < 0 && errno == EAGAIN) break;
    if (written < 0) die("write");
    to->out.offset += written;
  }
  int waits = to->out.offset < to->out.length;
  if (waits == to->waits_to_write) return;
  struct epoll_event event = {.events = EPOLLIN | (waits ? EPOLLOUT : 0), .data.ptr = to};
  epoll_ctl(epoll_fd, EPOLL_CTL_MOD, to->fd, &event);
  to->waits_to_write = waits;
}

static connection *dial(void) {
  connection *connection = calloc(1, sizeof *connection);
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
  int one = 1;
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  connection->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connection->fd < 0) die("socket");
  if (connect(connection->fd, (void *)&address, sizeof address)) die("connect");
  setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(connection->fd, F_SETFL, O_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  epoll_ctl(epoll_fd, EPOLL_CTL_ADD, connection->fd, &event);
  connection->sent = malloc(sizeof *connection->sent * (depth + 1));
  return connection;
}

/* --- the roles --- */

static size_t function_name(char *name, long number) {
  return functions > 1 ? sprintf(name, "bench%ld", number % functions) : sprintf(name, "bench");
}

static void start_worker(void) {
  connection *worker = dial();
  for (int number = 0; number < functions; number++) {
    char name[32];
    size_t length = function_name(name, number);
    send_packet(worker, CAN_DO, name, length, NULL, 0);
  }
  if (all_yours) send_bare(worker, ALL_YOURS);
  for (int count = 0; count < grabs; count++) send_bare(worker, GRAB_JOB);
  flush(worker);
}

/* xorshift64*, with another start in every process. */
static uint64_t random_number(void) {
  static uint64_t state = 0;
  if (!state) state = (now() * 0x9e3779b97f4a7c15ull ^ (uint64_t)getpid() << 32) | 1;
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * 0x2545f4914f6cdd1dull;
}

/* As many digits as a UUID has. */
static size_t random_unique(char *unique) {
  for (size_t at = 0; at < UNIQUE_DIGITS; at += 16) {
    uint64_t number = random_number();
    for (size_t digit = 0; digit < 16; digit++, number >>= 4) unique[at + digit] = "0123456789abcdef"[number & 15];
  }
  return UNIQUE_DIGITS;
}

static void ask(connection *client) {
  if (mode == ECHO || mode == IDLE) {
    send_packet(client, ECHO_REQ, NULL, 0, workload, size);
  } else {
    char head[40 + UNIQUE_DIGITS];
    size_t length = function_name(head, submitted);
    head[length++] = 0;
    if (random_uniques) length += random_unique(head + length);
    head[length++] = 0;
    send_packet(client, mode == FG ? SUBMIT_JOB : SUBMIT_JOB_BG, head, length, workload, size);
  }
  client->sent[client->last] = now();
  client->last = (client->last + 1) % (depth + 1);
  submitted++;
}

static void start_client(void) {
  connection *client = dial();
  for (int count = 0; count < depth && submitted < jobs; count++) ask(client);
  flush(client);
}

static uint64_t oldest_question(connection *client) {
  uint64_t time = client->sent[client->first];
  client->first = (client->first + 1) % (depth + 1);
  return time;
}

static void answered(connection *client, uint64_t since) {
  latencies[latency_count++] = (now() - since) / 1000.0;
  if (submitted < jobs) ask(client);
}

static void work(connection *worker, char *body, size_t length) {
  size_t handle = strnlen(body, length) + 1;
  size_t name = strnlen(body + handle, length - handle) + 1;
  taken++;
  send_packet(worker, WORK_COMPLETE, body, handle, body + handle + name, length - handle - name);
  send_bare(worker, GRAB_JOB);
}

static void take_packet(connection *from, uint32_t type, char *body, size_t length) {
  switch (type) {
  case JOB_CREATED:
    created++;
    if (mode == FG) remember(body, length, oldest_question(from));
    else answered(from, oldest_question(from));
    break;
  case WORK_COMPLETE:
    completed++;
    answered(from, recall(body, strnlen(body, length)));
    break;
  case ECHO_RES:
    completed++;
    answered(from, oldest_question(from));
    break;
  case NOOP:
    send_bare(from, GRAB_JOB);
    break;
  case NO_JOB:
    send_bare(from, PRE_SLEEP);
    break;
  case JOB_ASSIGN:
    work(from, body, length);
    break;
  case ERROR:
    fprintf(stderr, "ERROR %s\n", body);
    exit(1);
  default:
    fprintf(stderr, "unexpected packet type %u\n", type);
    exit(1);
  }
}

static void take_packets(connection *from) {
  buffer *in = &from->in;
  while (in->length - in->offset >= 12) {
    uint32_t header[3];
    memcpy(header, in->bytes + in->offset, sizeof header);
    size_t length = ntohl(header[2]);
    if (ntohl(header[0]) != RES) {
      fprintf(stderr, "bad magic\n");
      exit(1);
    }
    if (in->length - in->offset < 12 + length) return;
    take_packet(from, ntohl(header[1]), in->bytes + in->offset + 12, length);
    in->offset += 12 + length;
  }
}

static void readable(connection *from) {
  ssize_t got;
  do {
    reserve(&from->in, 65536);
    got = read(from->fd, from->in.bytes + from->in.length, from->in.capacity - from->in.length);
    if (got < 0 && errno == EAGAIN) break;
    if (got < 0) die("read");
    if (got == 0) {
      fprintf(stderr, "closed by the job server\n");
      exit(1);
    }
    from->in.length += got;
    take_packets(from);
    if (from->out.length - from->out.offset > 65536) flush(from);
  } while (got >= 4096);
  flush(from);
}

/* --- the figures --- */

/* Adds a process's CPU seconds and resident bytes. */
static void add_usage(int pid, double *cpu, double *resident) {
  char path[64], line[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  FILE *file = fopen(path, "r");
  if (!file || !fgets(line, sizeof line, file)) die(path);
  unsigned long user, kernel;
  sscanf(strrchr(line, ')') + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user, &kernel);
  *cpu += (user + kernel) / (double)sysconf(_SC_CLK_TCK);
  fclose(file);
  snprintf(path, sizeof path, "/proc/%d/statm", pid);
  file = fopen(path, "r");
  long total, pages;
  if (!file || fscanf(file, "%ld %ld", &total, &pages) != 2) die(path);
  *resident += (double)pages * sysconf(_SC_PAGESIZE);
  fclose(file);
}

/* CPU seconds and resident bytes of the job server, and of what it uses. */
static void usage(double *cpu, double *resident) {
  *cpu = *resident = 0;
  for (int at = 0; at < pid_count; at++) add_usage(pids[at], cpu, resident);
}

static int ascending(const void *a, const void *b) {
  double left = *(const double *)a, right = *(const double *)b;
  return left < right ? -1 : left > right;
}

static double percentile(double part) {
  return latency_count ? latencies[(long)((latency_count - 1) * part)] : 0;
}

static int is_done(void) {
  switch (mode) {
  case BG:
    return created >= jobs;
  case DRAIN:
    return taken >= jobs;
  case MIXED:
    return created >= jobs && taken >= jobs;
  default:
    return completed >= jobs;
  }
}

static void run(void) {
  struct epoll_event events[512];
  uint64_t limit = now() + seconds_at_most * 1000000000ull;
  while (!is_done()) {
    int count = epoll_wait(epoll_fd, events, 512, 1000);
    if (now() > limit) {
      fprintf(stderr, "not done after %d s: submitted %ld, created %ld, taken %ld, completed %ld\n", seconds_at_most,
              submitted, created, taken, completed);
      exit(3);
    }
    for (int at = 0; at < count; at++) {
      if (events[at].events & EPOLLOUT) flush(events[at].data.ptr);
      if (events[at].events & ~EPOLLOUT) readable(events[at].data.ptr);
    }
  }
}

/* --- what system calls cost here --- */

static double median_of(double *values, long count) {
  qsort(values, count, sizeof *values, ascending);
  return values[count / 2];
}

/* Writes a packet to a loopback connection and reads it at the other end, again and again; the median cost of each. */
static void measure_calls(void) {
  enum { ROUNDS = 50000 };
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  int one = 1, listener = socket(AF_INET, SOCK_STREAM, 0), near = socket(AF_INET, SOCK_STREAM, 0);
  inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
  if (bind(listener, (void *)&address, sizeof address) || listen(listener, 1)) die("listen");
  getsockname(listener, (void *)&address, &length);
  if (connect(near, (void *)&address, sizeof address)) die("connect");
  int far = accept(listener, NULL, NULL);
  setsockopt(near, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  double *writes = malloc(sizeof *writes * ROUNDS), *reads = malloc(sizeof *reads * ROUNDS);
  for (int round = 0; round < ROUNDS; round++) {
    uint64_t start = now();
    if (write(near, workload, size) != size) die("write");
    uint64_t middle = now();
    if (read(far, workload, size) != size) die("read");
    writes[round] = (middle - start) / 1000.0;
    reads[round] = (now() - middle) / 1000.0;
  }
  printf("{\"mode\":\"calls\",\"writeMicros\":%.2f,\"readMicros\":%.2f}\n", median_of(writes, ROUNDS),
         median_of(reads, ROUNDS));
}

static enum mode mode_named(const char *name) {
  for (int at = 0; at < MODES; at++)
    if (!strcmp(name, MODE_NAMES[at])) return at;
  fprintf(stderr, "no mode is called %s\n", name);
  exit(2);
}

static void options(int argc, char **argv) {
  int option;
  while ((option = getopt(argc, argv, "p:m:c:w:d:n:s:f:g:t:P:uA")) > 0) switch (option) {
    case 'p': port = atoi(optarg); break;
    case 'm': mode = mode_named(optarg); break;
    case 'c': clients = atoi(optarg); break;
    case 'w': workers = atoi(optarg); break;
    case 'd': depth = atoi(optarg); break;
    case 'n': jobs = atol(optarg); break;
    case 's': size = atoi(optarg); break;
    case 'f': functions = atoi(optarg); break;
    case 'g': grabs = atoi(optarg); break;
    case 't': seconds_at_most = atoi(optarg); break;
    case 'P':
      if (pid_count < MAX_PROCESSES) pids[pid_count++] = atoi(optarg);
      break;
    case 'u': random_uniques = 1; break;
    case 'A': all_yours = 1; break;
    default: exit(2);
    }
  if (mode == IDLE) depth = 1, jobs = clients;
}

int main(int argc, char **argv) {
  options(argc, argv);
  size_t count = 1;
  while (count < (size_t)clients * depth * 4 + 16) count <<= 1;
  slots = calloc(count, sizeof *slots);
  slot_mask = count - 1;
  workload = malloc(size + 1);
  memset(workload, 'x', size);
  latencies = malloc(sizeof *latencies * (jobs + 16));
  epoll_fd = epoll_create1(0);
  if (mode == CALLS) {
    measure_calls();
    return 0;
  }

  double cpu_before, memory_before, cpu_after, memory_after;
  usage(&cpu_before, &memory_before);
  uint64_t start = now();
  if (mode == FG || mode == DRAIN || mode == MIXED)
    for (int at = 0; at < workers; at++) start_worker();
  if (mode != DRAIN)
    for (int at = 0; at < clients; at++) start_client();
  run();
  double seconds = (now() - start) / 1e9;
  usleep(200000); /* work that the job server still has to do belongs to this run */
  usage(&cpu_after, &memory_after);

  qsort(latencies, latency_count, sizeof *latencies, ascending);
  printf("{\"mode\":\"%s\",\"jobs\":%ld,\"seconds\":%.4f,\"perSecond\":%.1f,\"cpuMicros\":%.3f,\"bytesEach\":%.1f,"
         "\"residentMB\":%.1f,\"p50\":%.1f,\"p99\":%.1f,\"max\":%.1f}\n",
         MODE_NAMES[mode], jobs, seconds, jobs / seconds, (cpu_after - cpu_before) * 1e6 / jobs,
         (memory_after - memory_before) / jobs, memory_after / 1e6, percentile(.5), percentile(.99), percentile(1));
  return 0;
}
