<?php
// New in 1.1.0: tb-addon 2.0 calls this function.
function tb_base_greeting() {
	return 'hello';
}
