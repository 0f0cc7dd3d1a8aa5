module iocpnetlib

go 1.26
