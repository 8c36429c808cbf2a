// The sketch for an Arduino Nano 33 BLE Sense: listen all the time, name words on the serial line.
// Put all files of this folder into one sketch folder called "spotter"; install the libraries
// Arduino_TensorFlowLite (or Chirale_TensorFLowLite) and choose the board. PDM comes with it.

#include <PDM.h>
#include <TensorFlowLite.h>

#include "log_mel.h"
#include "model_settings.h"
#include "spotter.h"

// A ring that always holds the last second; the microphone's interrupt writes into it.
static int16_t ring[CLIP_SAMPLES];
static int16_t window[CLIP_SAMPLES];
static volatile unsigned long arrived = 0;

static void OnSound() {
  static int16_t fresh[256];
  const int bytes = PDM.available();
  const int wanted = bytes < static_cast<int>(sizeof(fresh)) ? bytes : sizeof(fresh);
  const int samples = PDM.read(fresh, wanted) / 2;
  for (int k = 0; k < samples; k++) {
    ring[(arrived + k) % CLIP_SAMPLES] = fresh[k];
  }
  arrived = arrived + samples;
}

void setup() {
  Serial.begin(115200);
  pinMode(LED_BUILTIN, OUTPUT);
  if (!SpotterStart()) {
    Serial.println("The model could not be set up.");
    while (true) {
      delay(1000);
    }
  }
  PDM.onReceive(OnSound);
  if (!PDM.begin(1, 16000)) {
    Serial.println("The microphone could not be started.");
  }
}

void loop() {
  static int before = -1;
  const unsigned long end = arrived;
  if (end < CLIP_SAMPLES) {
    return;  // not a second yet
  }
  for (int k = 0; k < CLIP_SAMPLES; k++) {
    window[k] = ring[(end + k) % CLIP_SAMPLES];
  }
  int share = 0;
  const int word = SpotterHear(window, &share);
  // A word counts when two windows in a row agree and are sure of it.
  const bool sure = word >= kFirstWord && share >= kThreshold && word == before;
  digitalWrite(LED_BUILTIN, sure ? HIGH : LOW);
  if (sure) {
    Serial.println(kLabels[word]);
  }
  before = share >= kThreshold ? word : -1;
}
