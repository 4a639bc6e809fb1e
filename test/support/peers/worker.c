/* worker PORT: the classic libgearman worker, with the functions that all test workers have. */
#include <libgearman/gearman.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *reverse(gearman_job_st *job, void *context, size_t *length, gearman_return_t *result) {
  (void)context;
  const char *workload = gearman_job_workload(job);
  *length = gearman_job_workload_size(job);
  char *reversed = malloc(*length + 1);
  for (size_t at = 0; at < *length; at++) reversed[at] = workload[*length - 1 - at];
  *result = GEARMAN_SUCCESS;
  return reversed;
}

static void *chatty(gearman_job_st *job, void *context, size_t *length, gearman_return_t *result) {
  (void)context;
  gearman_job_send_status(job, 1, 2);
  gearman_job_send_data(job, "part", 4);
  gearman_job_send_warning(job, "hot", 3);
  *length = 3;
  *result = GEARMAN_SUCCESS;
  return strdup("end");
}

static void *failing(gearman_job_st *job, void *context, size_t *length, gearman_return_t *result) {
  (void)job, (void)context;
  *length = 0;
  *result = GEARMAN_WORK_FAIL;
  return NULL;
}

static void *throwing(gearman_job_st *job, void *context, size_t *length, gearman_return_t *result) {
  (void)context;
  *length = 0;
  *result = gearman_job_send_exception(job, "boom", 4);
  return NULL;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  gearman_worker_st *worker = gearman_worker_create(NULL);
  gearman_worker_add_server(worker, "127.0.0.1", atoi(argv[1]));
  gearman_worker_add_function(worker, "reverse", 0, reverse, NULL);
  gearman_worker_add_function(worker, "chatty", 0, chatty, NULL);
  gearman_worker_add_function(worker, "failing", 0, failing, NULL);
  gearman_worker_add_function(worker, "throwing", 0, throwing, NULL);
  for (;;) {
    gearman_return_t result = gearman_worker_work(worker);
    if (result != GEARMAN_SUCCESS && result != GEARMAN_WORK_FAIL && result != GEARMAN_WORK_EXCEPTION) {
      fprintf(stderr, "%s\n", gearman_worker_error(worker));
      return 1;
    }
  }
}
