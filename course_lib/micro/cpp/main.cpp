// The desktop program: name the words in raw sound files (16-bit samples, 16 kHz, one channel).

#include <cstdint>
#include <cstdio>

#include "log_mel.h"
#include "model_settings.h"
#include "spotter.h"

int main(int count, char** names) {
  if (count < 2) {
    std::fprintf(stderr, "Usage: %s sound.raw...\n", names[0]);
    return 2;
  }
  if (!SpotterStart()) {
    std::fprintf(stderr, "The model could not be set up in %d bytes.\n", kArenaBytes);
    return 1;
  }
  for (int k = 1; k < count; k++) {
    static int16_t sound[CLIP_SAMPLES];
    for (int16_t& sample : sound) {
      sample = 0;  // what is shorter than a second ends in silence
    }
    std::FILE* file = std::fopen(names[k], "rb");
    if (file == nullptr || std::fread(sound, sizeof(sound[0]), CLIP_SAMPLES, file) == 0) {
      std::fprintf(stderr, "%s cannot be read.\n", names[k]);
      return 1;
    }
    std::fclose(file);
    int share = 0;
    const int word = SpotterHear(sound, &share);
    if (word < 0) {
      return 1;
    }
    std::printf("%s: %s, %d of 256\n", names[k], kLabels[word], share);
  }
  return 0;
}
