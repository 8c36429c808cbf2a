// A stand-in for the microphone of an ESP32: it never has anything to say.

#ifndef STUB_ESP_I2S_H_
#define STUB_ESP_I2S_H_

#include "PDM.h"

enum { I2S_MODE_PDM_RX, I2S_DATA_BIT_WIDTH_16BIT, I2S_SLOT_MODE_MONO };

struct I2SClass {
  void setPinsPdmRx(int, int) {}
  bool begin(int, int, int, int) { return true; }
  int available() { return 0; }
  int readBytes(char*, int) { return 0; }
};

#endif  // STUB_ESP_I2S_H_
