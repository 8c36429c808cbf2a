// A stand-in: in the library, this header tells the Arduino IDE which library to link.
