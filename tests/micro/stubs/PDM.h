// A stand-in for the board's microphone and for what every sketch includes unseen. The serial line
// is what its process reads and writes.

#ifndef STUB_PDM_H_
#define STUB_PDM_H_

#include <poll.h>
#include <unistd.h>

#include <cstdio>

enum { LOW, HIGH, OUTPUT, LED_BUILTIN = 13 };

inline void pinMode(int, int) {}
inline void digitalWrite(int, int) {}
inline void delay(unsigned long) {}
inline unsigned long micros() { static unsigned long now = 0; return now += 1234; }

struct SerialStub {
  void begin(unsigned long) {}
  void setTimeout(unsigned long) {}
  int available() {
    pollfd asked = {0, POLLIN, 0};
    return poll(&asked, 1, 10);
  }
  int read() {
    unsigned char byte = 0;
    if (::read(0, &byte, 1) != 1) _exit(0);
    return byte;
  }
  int readBytes(char* to, int count) {
    int filled = 0;
    for (int got; filled < count && (got = ::read(0, to + filled, count - filled)) > 0;) {
      filled += got;
    }
    return filled;
  }
  void print(const char* text) { std::printf("%s", text); }
  void print(int number) { std::printf("%d", number); }
  void println(const char* text) { std::printf("%s\r\n", text), std::fflush(stdout); }
  void println(unsigned long number) { std::printf("%lu\r\n", number), std::fflush(stdout); }
};

struct PdmStub {  // hears sound.raw, 16 ms whenever a test says so
  void (*told)() = nullptr;
  std::FILE* sound = nullptr;
  void onReceive(void (*what)()) { told = what; }
  int begin(int, int) { return sound = std::fopen("sound.raw", "rb"), 1; }
  int available() { return 512; }
  int read(void* to, int bytes) { return static_cast<int>(std::fread(to, 1, bytes, sound)); }
  bool deliver() { return told(), !std::feof(sound); }
};

inline SerialStub Serial;
inline PdmStub PDM;

#endif  // STUB_PDM_H_
