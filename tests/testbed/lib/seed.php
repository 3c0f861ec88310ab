<?php
/**
 * What the template's site contains, beyond a fresh WordPress: run with
 * `wp eval-file seed.php plain` or `wp eval-file seed.php full`.
 */
$must = static function ( $result ) {
	if ( ! $result || is_wp_error( $result ) ) {
		WP_CLI::error( is_wp_error( $result ) ? $result : 'the site could not be seeded' );
	}
	return $result;
};
$author = 1;

global $wp_rewrite;
$wp_rewrite->set_permalink_structure( '/%postname%/' );
flush_rewrite_rules();
update_option( 'timezone_string', 'America/Toronto' );
update_option( 'blogdescription', "L'été — \"promo\" 50 % & plus" );
foreach ( array( 'editor' => 'editor', 'lucie' => 'subscriber' ) as $login => $role ) {
	$must( wp_insert_user( array( 'user_login' => $login, 'user_email' => "$login@testbed.example", 'user_pass' => "testbed-$login", 'role' => $role ) ) );
}
$posts = array(
	array( 'page', 'contact', 'Contact', '<p>Write to us.</p>' ),
	array( 'page', 'reservations', 'Réservations', '<p>Book a table — 🍽️</p>' ),
);
for ( $n = 1; $n <= 3; $n++ ) {
	$posts[] = array( 'post', "nouvelle-$n", "Nouvelle $n", "<p>Texte $n, <a href=\"http://testbed.invalid/contact/\">contact</a>.</p>" );
}
foreach ( $posts as list( $type, $name, $title, $content ) ) {
	$must( wp_insert_post( array( 'post_type' => $type, 'post_name' => $name, 'post_title' => $title, 'post_content' => $content, 'post_status' => 'publish', 'post_author' => $author ), true ) );
}
$must( wp_insert_comment( array( 'comment_post_ID' => 1, 'comment_author' => 'Lucie', 'comment_content' => 'Bravo !', 'comment_approved' => 1 ) ) );
update_option( 'testbed_mixed', array( 'a' => array( 1, 2, array( 'b' => "é\n\\'\"" ) ), 'where' => '/x' ) );

if ( 'full' === $args[0] ) {
	foreach ( array( 'tb-base', 'tb-addon', 'tb-broken', 'tb-table', 'tb-newphp', 'tb-newcore', 'tb-licensed' ) as $slug ) {
		$failed = activate_plugin( "$slug/$slug.php" );
		if ( is_wp_error( $failed ) ) {
			WP_CLI::error( $failed );
		}
	}
	switch_theme( 'tb-child' );
}
