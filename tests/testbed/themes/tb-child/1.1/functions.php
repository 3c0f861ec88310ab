<?php
add_action( 'tb_parent_footer', function () {
	echo '<p class="tb-child">tb-child 1.1</p>' . "\n";
} );
