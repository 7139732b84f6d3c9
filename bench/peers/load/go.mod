module micro.test/bench/load

go 1.13
