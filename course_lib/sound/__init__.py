"""Sound: from a file, a formula or the network to labelled clips, and to the numbers heard in them.

`audio` reads and plays, `features` turns a second into 49 x 40 numbers, `dataset` holds labelled
clips; `noise`, `effects` and `augmentation` make many varied clips out of a few; `download` and
`archives` fetch what is large. The room uses `session` alone; `spotter` and all above it use it.
Begin reading with `audio`, then `features`.
"""
