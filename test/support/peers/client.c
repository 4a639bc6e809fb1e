/* client PORT FUNCTION do|events|background: the classic libgearman client; the workload comes from stdin. */
#include <libgearman/gearman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *read_all(size_t *length) {
  size_t capacity = 1 << 16;
  char *bytes = malloc(capacity);
  *length = 0;
  for (size_t got; (got = fread(bytes + *length, 1, capacity - *length, stdin)) > 0;) {
    *length += got;
    if (*length == capacity) bytes = realloc(bytes, capacity *= 2);
  }
  return bytes;
}

static gearman_return_t print(const char *event, gearman_task_st *task) {
  printf("%s %.*s\n", event, (int)gearman_task_data_size(task), (const char *)gearman_task_data(task));
  return GEARMAN_SUCCESS;
}

static gearman_return_t on_data(gearman_task_st *task) { return print("data", task); }
static gearman_return_t on_warning(gearman_task_st *task) { return print("warning", task); }
static gearman_return_t on_exception(gearman_task_st *task) { return print("exception", task); }
static gearman_return_t on_complete(gearman_task_st *task) { return print("complete", task); }

static gearman_return_t on_status(gearman_task_st *task) {
  printf("status %u/%u\n", gearman_task_numerator(task), gearman_task_denominator(task));
  return GEARMAN_SUCCESS;
}

static gearman_return_t on_fail(gearman_task_st *task) {
  (void)task;
  puts("fail");
  return GEARMAN_SUCCESS;
}

static gearman_return_t events(gearman_client_st *client, const char *function, const char *workload, size_t length) {
  gearman_return_t result;
  gearman_client_add_options(client, GEARMAN_CLIENT_EXCEPTION);
  gearman_client_set_data_fn(client, on_data);
  gearman_client_set_warning_fn(client, on_warning);
  gearman_client_set_status_fn(client, on_status);
  gearman_client_set_exception_fn(client, on_exception);
  gearman_client_set_complete_fn(client, on_complete);
  gearman_client_set_fail_fn(client, on_fail);
  gearman_client_add_task(client, NULL, NULL, function, NULL, workload, length, &result);
  return gearman_client_run_tasks(client);
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  const char *function = argv[2], *mode = argv[3];
  gearman_client_st *client = gearman_client_create(NULL);
  gearman_return_t result = gearman_client_add_server(client, "127.0.0.1", atoi(argv[1]));
  size_t length, answer_length = 0;
  char *workload = read_all(&length);
  if (length == 0) workload = NULL; /* libgearman refuses an empty workload that has an address */
  if (!strcmp(mode, "events")) {
    result = events(client, function, workload, length);
  } else if (!strcmp(mode, "background")) {
    char handle[GEARMAN_JOB_HANDLE_SIZE];
    result = gearman_client_do_background(client, function, NULL, workload, length, handle);
    puts(handle);
  } else {
    char *answer = gearman_client_do(client, function, NULL, workload, length, &answer_length, &result);
    fwrite(answer, 1, answer_length, stdout);
    free(answer);
  }
  if (result != GEARMAN_SUCCESS) fprintf(stderr, "%s\n", gearman_client_error(client));
  gearman_client_free(client);
  free(workload);
  return result != GEARMAN_SUCCESS;
}
