/* cc worker.c -lgearman -o worker && ./worker [PORT]: counts words for whoever asks, with libgearman. */
#include <ctype.h>
#include <libgearman/gearman.h>
#include <stdio.h>
#include <stdlib.h>

static void *count_words(gearman_job_st *job, void *context, size_t *result_size, gearman_return_t *code) {
  const char *text = gearman_job_workload(job);
  size_t size = gearman_job_workload_size(job);
  char *answer = malloc(16);
  int words = 0, in_word = 0;
  (void)context;
  for (size_t i = 0; i < size; i++) {
    int is_letter = !isspace((unsigned char)text[i]);
    words += is_letter && !in_word;
    in_word = is_letter;
  }
  *result_size = answer ? (size_t)snprintf(answer, 16, "%d", words) : 0;
  *code = answer ? GEARMAN_SUCCESS : GEARMAN_WORK_FAIL;
  return answer; /* the library frees it */
}

int main(int argc, char **argv) {
  gearman_worker_st *worker = gearman_worker_create(NULL);
  gearman_worker_add_server(worker, "127.0.0.1", (in_port_t)atoi(argc > 1 ? argv[1] : "4730"));
  gearman_worker_add_function(worker, "count_words", 0, count_words, NULL);
  while (gearman_worker_work(worker) == GEARMAN_SUCCESS)
    ;
  fprintf(stderr, "%s\n", gearman_worker_error(worker));
  return 1;
}
