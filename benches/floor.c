/*
 * The floor under every recorder: one thread that polls, reads 4 KiB from the master side of a PTY, writes it raw to a file and
 * then to the terminal. It is no recorder, only what one can't be below: no format, no chain, no failure is noticed.
 *
 *     floor FILE COMMAND [ARGUMENT...]
 */
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

enum { PIECE = 4096 };

static int write_all(int fd, const char *bytes, ssize_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, bytes, (size_t)len);
        if (n <= 0)
            return -1;
        bytes += n;
        len -= n;
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: floor FILE COMMAND [ARGUMENT...]\n");
        return 2;
    }
    struct termios before, raw;
    struct winsize size;
    if (tcgetattr(0, &before) != 0 || ioctl(0, TIOCGWINSZ, &size) != 0) {
        perror("floor: standard input");
        return 1;
    }
    int file = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int master;
    pid_t child = file < 0 ? -1 : forkpty(&master, NULL, &before, &size);
    if (child < 0) {
        perror("floor");
        return 1;
    }
    if (child == 0) {
        execvp(argv[2], argv + 2);
        _exit(127);
    }
    raw = before;
    cfmakeraw(&raw);
    tcsetattr(0, TCSADRAIN, &raw);

    struct pollfd fds[] = {{.fd = master, .events = POLLIN}, {.fd = 0, .events = POLLIN}};
    char piece[PIECE];
    while (poll(fds, 2, -1) > 0) {
        if (fds[1].revents) {
            ssize_t n = read(0, piece, sizeof piece);
            if (n > 0)
                write_all(master, piece, n);
            else
                fds[1].fd = -1;
        }
        if (fds[0].revents) {
            ssize_t n = read(master, piece, sizeof piece);
            if (n <= 0 || write_all(file, piece, n) != 0 || write_all(1, piece, n) != 0)
                break;
        }
    }
    tcsetattr(0, TCSADRAIN, &before);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
