/* The other side of `make bench` for Modbus: a server and two clients on libmodbus.
 *
 *   libmodbus server                   serve registers 0..199 over TCP; prints its port
 *   libmodbus tcp PORT SECONDS         read 16 registers again and again; prints reads and seconds
 *   libmodbus rtu PATH BAUD SECONDS    the same on a serial line
 *
 * libmodbus keeps no silence after a reply, which RTU demands; the client here does.
 */
#define _POSIX_C_SOURCE 200809L
#include <arpa/inet.h>
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FIRST = 100, REGISTERS = 16, MEMORY = 200 };

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
    return 1;
}

static double now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + now.tv_nsec / 1e9;
}

/* One client at a time, as many a PLC. */
static int serve(void)
{
    modbus_t *bus = modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t *memory = modbus_mapping_new(0, 0, MEMORY, 0);
    struct sockaddr_in name;
    socklen_t size = sizeof name;
    int listener = bus && memory ? modbus_tcp_listen(bus, 1) : -1;
    if (listener < 0 || getsockname(listener, (struct sockaddr *)&name, &size) < 0)
        return fail("listen");
    for (int at = 0; at < MEMORY; at++)
        memory->tab_registers[at] = at;
    printf("%d\n", ntohs(name.sin_port));
    fflush(stdout);
    while (modbus_tcp_accept(bus, &listener) >= 0) {
        uint8_t asked[MODBUS_TCP_MAX_ADU_LENGTH];
        int length;
        while ((length = modbus_receive(bus, asked)) >= 0)
            if (length > 0 && modbus_reply(bus, asked, length, memory) < 0)
                break;
        modbus_close(bus);
    }
    return fail("accept");
}

static void keep_silence(double silence_s)
{
    struct timespec left = {0, (long)(silence_s * 1e9)};
    if (left.tv_nsec)
        clock_nanosleep(CLOCK_MONOTONIC, 0, &left, NULL);
}

static int read_on(modbus_t *bus, double seconds, double silence_s)
{
    uint16_t values[REGISTERS];
    long reads = 0;
    if (!bus || modbus_set_slave(bus, 1) < 0 || modbus_connect(bus) < 0)
        return fail("connect");
    double began_s = now_s(), until_s = began_s + seconds;
    while (now_s() < until_s) {
        if (modbus_read_registers(bus, FIRST, REGISTERS, values) != REGISTERS)
            return fail("read");
        if (values[0] != FIRST || values[REGISTERS - 1] != FIRST + REGISTERS - 1)
            return fail("values");
        reads++;
        keep_silence(silence_s);
    }
    printf("%ld %.6f\n", reads, now_s() - began_s);
    return 0;
}

int main(int count, char **words)
{
    if (count == 2 && !strcmp(words[1], "server"))
        return serve();
    if (count == 4 && !strcmp(words[1], "tcp"))
        return read_on(modbus_new_tcp("127.0.0.1", atoi(words[2])), atof(words[3]), 0);
    if (count == 5 && !strcmp(words[1], "rtu")) {
        int baud = atoi(words[3]);
        double silence_s = baud > 19200 ? 0.00175 : 35.0 / baud;
        return read_on(modbus_new_rtu(words[2], baud, 'N', 8, 1), atof(words[4]), silence_s);
    }
    fprintf(stderr, "usage: libmodbus server | tcp PORT SECONDS | rtu PATH BAUD SECONDS\n");
    return 2;
}
