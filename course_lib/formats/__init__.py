"""Every byte of the files that a model is kept in, without the programs that wrote them.

`bytemap` names bytes; `protobuf` (frozen graphs), `flatbuffer` (.tflite) and `checkpoint` (also
Keras' own files) read. They use `session` and the plain data of `graph`; lessons 04 to 06, `views`,
`tflite` and `experiments` use them. Begin reading with `bytemap`, then `protobuf`.
"""
