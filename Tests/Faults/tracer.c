// Runs a program under ptrace and strikes at one of its system calls.
//
//   tracer REPORT list         -- PROGRAM ARGUMENT...   writes each call's number
//   tracer REPORT kill N       -- …   SIGKILL at stop N: 2n is before call n, 2n + 1 after it
//   tracer REPORT fail N KIND ERRNO -- …     call N is not made and returns ERRNO
//   tracer REPORT fail-on N KIND ERRNO -- …  so does every later call of the same kind
//   tracer REPORT short N KIND -- …   call N gets half the bytes it asked for
//   tracer REPORT hold N FILE  -- …   stop N is told on descriptor FILE, and lasts until a byte comes
//
// Calls are counted from the program's first one behind execve, over all its threads; two runs
// don't make quite the same ones, so it is the first call from N on that has the number KIND. REPORT
// gets one word a line: "struck" if it came to that, then "exited STATUS" or "signalled NUMBER".
// x86-64 only: registers are changed by name.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum mode { LIST, KILL, FAIL, FAIL_ON, SHORT, HOLD };
static const char *names[] = {"list", "kill", "fail", "fail-on", "short", "hold"};

// Threads of the program, by whether they are in a call. More than these are not expected.
static struct thread {
  pid_t id;
  int in_call, changed;
} threads[256];

static struct thread *thread_of(pid_t id) {
  for (int i = 0; i < 256; i++)
    if (threads[i].id == id) return &threads[i];
  for (int i = 0; i < 256; i++)
    if (threads[i].id == 0) {
      threads[i] = (struct thread){.id = id};
      return &threads[i];
    }
  fprintf(stderr, "tracer: too many threads\n");
  exit(2);
}

static void die(const char *what) {
  perror(what);
  exit(2);
}

// Of fcntl's many commands the one that asks for a lock. To let go of one never fails.
static int can_fail(pid_t id, struct user_regs_struct *registers) {
  if (registers->orig_rax != SYS_fcntl) return 1;
  if (registers->rsi != F_SETLK && registers->rsi != F_SETLKW) return 0;
  long word = ptrace(PTRACE_PEEKDATA, id, (void *)registers->rdx, 0);
  return (short)word != F_UNLCK;
}

int main(int count, char **arguments) {
  if (count < 5) return 2;
  FILE *report = fopen(arguments[1], "we");
  if (!report) die(arguments[1]);
  int mode = 0;
  while (mode <= HOLD && strcmp(names[mode], arguments[2])) mode++;
  int next = 3;
  long target = mode == LIST ? -1 : atol(arguments[next++]);
  long kind = mode == FAIL || mode == FAIL_ON || mode == SHORT ? atol(arguments[next++]) : -1;
  int error = mode == FAIL || mode == FAIL_ON ? atoi(arguments[next++]) : 0;
  int conversation = mode == HOLD ? atoi(arguments[next++]) : -1;
  if (mode > HOLD || strcmp(arguments[next], "--")) return 2;
  char **command = arguments + next + 1;
  // The program must not keep it open.
  if (mode == HOLD) fcntl(conversation, F_SETFD, FD_CLOEXEC);

  pid_t child = fork();
  if (child == 0) {
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    execv(command[0], command);
    _exit(127);
  }
  int status;
  if (waitpid(child, &status, 0) != child) die("waitpid");
  long options = PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                 PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL;
  if (ptrace(PTRACE_SETOPTIONS, child, 0, options)) die("ptrace");
  ptrace(PTRACE_CONT, child, 0, 0);

  long calls = -1;
  int has_begun = 0, was_struck = 0;
  for (;;) {
    pid_t id = waitpid(-1, &status, __WALL);
    if (id < 0) break;
    if (WIFEXITED(status) || WIFSIGNALED(status)) {
      if (id == child) {
        if (was_struck) fprintf(report, "struck\n");
        if (WIFEXITED(status)) fprintf(report, "exited %d\n", WEXITSTATUS(status));
        else fprintf(report, "signalled %d\n", WTERMSIG(status));
        fclose(report);
        return 0;
      }
      thread_of(id)->id = 0;
      continue;
    }
    int signal = WSTOPSIG(status);
    if (signal == (SIGTRAP | 0x80)) {
      struct thread *thread = thread_of(id);
      struct user_regs_struct registers;
      if (ptrace(PTRACE_GETREGS, id, 0, &registers)) {
        if (errno == ESRCH) continue;
        die("ptrace");
      }
      long number = (long)registers.orig_rax;
      int is_entry = thread->in_call = !thread->in_call;
      if (is_entry) {
        calls++;
        if (mode == LIST) fprintf(report, "%ld\n", number);
      }
      int is_call = is_entry && kind == number && calls >= target &&
                    (!was_struck || mode == FAIL_ON) && can_fail(id, &registers);
      long stop = 2 * calls + !is_entry;
      if (mode == KILL && stop == target) {
        was_struck = 1;
        kill(child, SIGKILL);
        // A process in a stop dies when it is looked after again: the wait above sees it.
        continue;
      }
      if (mode == HOLD && stop == target) {
        was_struck = 1;
        char byte;
        if (write(conversation, "h", 1) < 0 || read(conversation, &byte, 1) < 0) die("hold");
      }
      if ((mode == FAIL || mode == FAIL_ON) && is_call) {
        was_struck = 1;
        thread->changed = 1;
        // No call has the number -1: the kernel makes none.
        registers.orig_rax = (unsigned long long)-1;
        if (ptrace(PTRACE_SETREGS, id, 0, &registers)) die("ptrace");
      } else if (mode == SHORT && is_call && registers.rdx > 1) {
        was_struck = 1;
        registers.rdx /= 2;
        if (ptrace(PTRACE_SETREGS, id, 0, &registers)) die("ptrace");
      } else if (!is_entry && thread->changed) {
        thread->changed = 0;
        registers.rax = (unsigned long long)-error;
        if (ptrace(PTRACE_SETREGS, id, 0, &registers)) die("ptrace");
      }
      signal = 0;
    } else if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8)) {
      has_begun = 1;
      // The exit from execve is still to come.
      thread_of(id)->in_call = 1;
      calls = -1;
      signal = 0;
    } else if (status >> 16 || signal == SIGSTOP || signal == SIGTRAP) {
      signal = 0;
    }
    if (ptrace(has_begun ? PTRACE_SYSCALL : PTRACE_CONT, id, 0, signal) && errno != ESRCH)
      die("ptrace");
  }
  return 2;
}
