"""Every byte of the files that a model is kept in, without the programs that wrote them.

`bytemap` names bytes; `protobuf` (frozen graphs), `flatbuffer` and `tflite_file` (.tflite) and
`checkpoint` (Keras' own files, too) read. They use `session` and the plain data of `graph`; lessons
04 to 06, `views`, `tflite` and `experiments` use them. Begin with `bytemap`, then `protobuf`.
"""
