"""What one lesson tries: an experiment a module, run where the lesson is read.

`alone` and `outside`, `same_weights`, `reading_costs` and `readers` try files; `replicas`,
`workers`, `threads` try several places at once; `practice`, `timeline`, `trials` a training's
checkpoints; `peers` are other models, `folded` one without norms, `todays_tools` what other tools
make of ours; `clinic` shows what failures say; `ledger` puts to the test what is often said. They
use every room below; lessons, `train`, `views` and `project` use them. Begin with `practice`.
"""
