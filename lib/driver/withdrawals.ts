/*
 * The words of an extension of our job server. A client asks for it at its
 * greeting, and from then on takes the wait for a job back by
 * `OPTION_REQ withdraw=HANDLE`; the answer is the same in an OPTION_RES, in its
 * place among all others, whether or not the job is there still. A worker that
 * asks for it hears `OPTION_RES withdrawn=HANDLE` when nobody waits any more for
 * a job it runs.
 */

/** The option by which both ask for it. */
export const WITHDRAWALS = 'withdrawals';

/** A client's word, with a handle behind it. */
export const WITHDRAW = 'withdraw=';

/** The job server's word to a worker, with a handle behind it. */
export const WITHDRAWN = 'withdrawn=';
