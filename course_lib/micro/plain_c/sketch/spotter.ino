// The plain C program as a sketch: name words on the serial line, and answer clips that come in.
//
// For an Arduino Nano 33 BLE Sense (its microphone comes with the PDM library) and for a Seeed XIAO
// ESP32-S3 Sense (ESP_I2S comes with the core). No other library is needed.
//
// What comes in: a C, then 32,000 bytes, 16,000 samples of 16 bits, little-endian.
// What goes out: "word yes" when somebody spoke; "clip -128 -128 127 -127 us 61234" for a clip, the
// model's bytes and the microseconds from its sound to its answer; "ready" once, and when asked by R.

#include "log_mel.h"
#include "settings.h"

extern "C" {
#include "model.h"
}

static int16_t ring[CLIP_SAMPLES];  // always the last second
static int16_t sound[CLIP_SAMPLES];
static volatile unsigned long arrived = 0;

static void Keep(const int16_t* fresh, int samples) {
  for (int k = 0; k < samples; k++) {
    ring[(arrived + k) % CLIP_SAMPLES] = fresh[k];
  }
  arrived = arrived + samples;
}

#if defined(ARDUINO_ARCH_ESP32)
#include <ESP_I2S.h>

enum { CLOCK_PIN = 42, DATA_PIN = 41 };  // of the XIAO ESP32-S3 Sense
static I2SClass microphone;

static bool StartMicrophone() {
  microphone.setPinsPdmRx(CLOCK_PIN, DATA_PIN);
  return microphone.begin(I2S_MODE_PDM_RX, 16000, I2S_DATA_BIT_WIDTH_16BIT, I2S_SLOT_MODE_MONO);
}

static void ReadMicrophone() {
  static int16_t fresh[256];
  while (microphone.available() >= static_cast<int>(sizeof(fresh))) {
    Keep(fresh, microphone.readBytes(reinterpret_cast<char*>(fresh), sizeof(fresh)) / 2);
  }
}
#else
#include <PDM.h>

static void OnSound() {
  static int16_t fresh[256];
  const int bytes = PDM.available();
  const int wanted = bytes < static_cast<int>(sizeof(fresh)) ? bytes : sizeof(fresh);
  Keep(fresh, PDM.read(fresh, wanted) / 2);
}

static bool StartMicrophone() {
  PDM.onReceive(OnSound);
  return PDM.begin(1, 16000);
}

static void ReadMicrophone() {}  // an interrupt does it
#endif

// From the samples in `sound` to the model's answer; returns the microseconds that it took.
static unsigned long Hear() {
  static float features[FRAMES * BANDS];
  const unsigned long start = micros();
  log_mel(sound, features);
  quantize_features(features, model_input_scale, model_input_zero_point, model_input());
  model_run(nullptr);
  return micros() - start;
}

static void AnswerClip() {
  if (Serial.readBytes(reinterpret_cast<char*>(sound), sizeof(sound)) != sizeof(sound)) {
    Serial.println("late");  // the rest of the clip did not come
    return;
  }
  const unsigned long took = Hear();
  Serial.print("clip");
  for (int k = 0; k < kLabelCount; k++) {
    Serial.print(" ");
    Serial.print(static_cast<int>(model_output()[k]));
  }
  Serial.print(" us ");
  Serial.println(took);
}

static void AnswerMicrophone() {
  static int before = -1;
  static unsigned long said = 0UL - CLIP_SAMPLES;  // where the last word was named
  const unsigned long end = arrived;
  if (end < CLIP_SAMPLES) {
    return;  // not a second yet
  }
  for (int k = 0; k < CLIP_SAMPLES; k++) {
    sound[k] = ring[(end + k) % CLIP_SAMPLES];
  }
  Hear();
  int best = 0;
  for (int k = 1; k < kLabelCount; k++) {
    if (model_output()[k] > model_output()[best]) {
      best = k;
    }
  }
  // A word counts when two seconds in a row agree and are sure of it. It is named once: for the next
  // second its own sound is still heard.
  const bool sure = best >= kFirstWord && model_output()[best] >= kThreshold;
  if (sure && best == before && end - said >= CLIP_SAMPLES) {
    Serial.print("word ");
    Serial.println(kLabels[best]);
    said = end;
  }
  digitalWrite(LED_BUILTIN, end - said < CLIP_SAMPLES ? HIGH : LOW);
  before = sure ? best : -1;
}

void setup() {
  Serial.begin(115200);
  Serial.setTimeout(5000);
  pinMode(LED_BUILTIN, OUTPUT);
  if (!StartMicrophone()) {
    Serial.println("no microphone");
  }
  Serial.println("ready");
}

void loop() {
  ReadMicrophone();
  const int asked = Serial.available() > 0 ? Serial.read() : -1;
  if (asked == 'C') {
    AnswerClip();
  } else if (asked == 'R') {
    Serial.println("ready");
  } else if (asked < 0) {
    AnswerMicrophone();
  }
}
