// A stand-in for the board's microphone and for what every sketch includes unseen.

#ifndef STUB_PDM_H_
#define STUB_PDM_H_

enum { LOW, HIGH, OUTPUT, LED_BUILTIN = 13 };

inline void pinMode(int, int) {}
inline void digitalWrite(int, int) {}
inline void delay(unsigned long) {}

struct SerialStub {
  void begin(unsigned long) {}
  void println(const char*) {}
};

struct PdmStub {
  void onReceive(void (*)()) {}
  int begin(int, int) { return 1; }
  int available() { return 0; }
  int read(void*, int) { return 0; }
};

inline SerialStub Serial;
inline PdmStub PDM;

#endif  // STUB_PDM_H_
