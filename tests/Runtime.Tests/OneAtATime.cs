// libtorch's default generator is one for the process, and dropout draws from it: tests that compare runs bit for bit take turns.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
